//! How the help of all commands is arranged: options under headings, and examples at the end that work as they stand,
//! on a host with guests in /srv/guests.

use clap::Command;

/// Options by their headings; one name means one thing in every command.
const HEADINGS: &[(&str, &[&str])] = &[
    (
        "What is shared",
        &[
            "policy",
            "ignore",
            "same_path",
            "min_size",
            "allow",
            "exclude",
            "include",
            "exclude_from",
        ],
    ),
    (
        "How files are shared",
        &["method", "within", "reflink_config"],
    ),
    (
        "How shared files are protected",
        &["protect", "objects", "flag_clearers"],
    ),
    (
        "What guests are asked",
        &[
            "on_damaged_database",
            "package_databases",
            "not_a_root",
            "platform",
        ],
    ),
    (
        "What counts",
        &[
            "fail_on",
            "level",
            "max_unique_bytes",
            "min_share",
            "golden",
            "no_ignores",
            "strict_ignores",
            "baseline",
            "write_baseline",
            "today",
        ],
    ),
    ("Where it goes", &["output", "mode", "force", "skips"]),
    (
        "What is done",
        &[
            "run",
            "from_disk",
            "restored",
            "keep_runs",
            "accept_edits",
            "approved",
            "dry_run",
            "plan_only",
            "keep_identity",
            "leave_unprotected",
            "no_refreeze",
        ],
    ),
    (
        "What is shown",
        &[
            "by",
            "lines",
            "near_misses",
            "stale",
            "now",
            "evidence",
            "mtime",
            "stat",
            "format",
            "list_rules",
            "all",
            "json",
            "bytes",
        ],
    ),
    ("Running guests", &["allow_running", "max_freeze"]),
    (
        "How it runs",
        &[
            "no_cache",
            "jobs",
            "background",
            "keep_cache",
            "max_actions",
            "max_failures",
            "rate",
            "since",
        ],
    ),
    (
        "For scripts",
        &["yes", "exit_code", "if_base_exists", "quiet"],
    ),
];

/// What stands at the end of a command's help.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "plan",
        "  unify plan -o plan.json /srv/guests/web1 /srv/guests/db1
  unify plan -o plan.json web=/srv/guests/web1 db=/srv/guests/db1
  unify plan --exclude '**/*.pyc' --min-size 4K -o plan.jsonl.zst \\
    /srv/guests/*
  unify plan -q --exit-code -o plan.json /srv/guests/*   # in cron
  unify plan --audit -o audit.json /srv/guests/*
  tar -cC /srv/guests/web1 . | unify plan -o image.json web=-",
    ),
    (
        "show",
        "  unify show plan.json
  unify show --by package --guest web1 plan.json
  unify show --stale --exit-code plan.json
  unify show --json plan.json | jq .totals",
    ),
    (
        "cut",
        "  unify cut plan.json -o web1.json --guest web1
  unify cut plan.json -o rest.json --min-saves 4K \\
    --not-path '/usr/lib/python3*'",
    ),
    (
        "diff",
        "  unify plan -o new.json /srv/guests/* && unify diff plan.json new.json
  unify diff --now --stat --exit-code plan.json
  unify diff /srv/guests/web1 /srv/guests/db1
  unify diff --path /etc web=/srv/guests/web1 db=/srv/guests/db1
  unify diff web=/srv/guests/web1:/usr/share/common \\
    db=/srv/guests/db1:/usr/share/common
  unify diff --plan plan.json web1:/usr/share/common db1:/usr/share/common",
    ),
    (
        "check",
        "  unify check /srv/guests/web1 /srv/guests/db1
  unify check --max-unique-bytes 300M /srv/guests/*
  unify check --format sarif=check.sarif --format markdown=summary.md \\
    /srv/guests/*
  unify check --write-baseline known.txt /srv/guests/*
  unify check --plan plan.json --stale",
    ),
    (
        "explain",
        "  unify explain --plan plan.json web1:/usr/share/common
  unify explain config-file",
    ),
    (
        "apply",
        "  unify apply plan.json
  unify apply --dry-run plan.json
  unify apply --yes --json plan.json | jq .not_done
  unify apply --yes --background --max-actions 10000 plan.json",
    ),
    (
        "verify",
        "  unify verify plan.json
  unify verify --base /srv/guests/.unify --since 30d",
    ),
    (
        "status",
        "  unify status --base /srv/guests/.unify
  unify status -q --if-base-exists --base /srv/guests/.unify   # in cron",
    ),
    (
        "undo",
        "  unify undo --base /srv/guests/.unify --run last
  unify undo --base /srv/guests/.unify --run all --guest web1 \\
    --path '/usr/share/**'",
    ),
    (
        "clone",
        "  unify clone --plan-only /srv/guests/web1 /srv/guests/web3
  unify clone /srv/guests/web1 /srv/guests/web3
  unify clone --keep-identity web1=/srv/guests/web1 \\
    spare=/srv/guests/spare",
    ),
    (
        "forget",
        "  unify forget --base /srv/guests/.unify --yes web1 &&
    rm -rf /srv/guests/web1",
    ),
    (
        "maintain",
        "  unify maintain --base /srv/guests/.unify web1 -- \\
    chroot /srv/guests/web1 apt-get -y upgrade
  unify maintain --base /srv/guests/.unify --packages upgradable web1 -- \\
    chroot /srv/guests/web1 apt-get -y upgrade
  unify maintain --base /srv/guests/.unify --dry-run web1 -- true",
    ),
    (
        "thaw",
        "  unify thaw --base /srv/guests/.unify --path /usr/share/perl5 web1
  unify thaw --base /srv/guests/.unify --dry-run web1",
    ),
    (
        "refreeze",
        "  unify refreeze --base /srv/guests/.unify web1",
    ),
    (
        "gc",
        "  unify gc --base /srv/guests/.unify --dry-run
  unify gc --base /srv/guests/.unify --keep-runs 10",
    ),
    (
        "recover",
        "  unify recover --base /srv/guests/.unify
  unify recover -q --if-base-exists --base /srv/guests/.unify   # at boot
  unify recover --restored --base /srv/guests/.unify",
    ),
    (
        "doctor",
        "  unify doctor /srv/guests
  unify doctor --json /srv/guests | jq '.places[].methods'",
    ),
    (
        "guard",
        "  unify guard
  unify guard load && unify recover --base /srv/guests/.unify   # at boot
  unify guard unload",
    ),
    (
        "protect",
        "  unify protect --base /srv/guests/.unify immutable",
    ),
    (
        "guardd",
        "  unify guardd --base /srv/guests/.unify
  unify guardd --base /srv/guests/.unify --most-bytes 10G   # as a service, see unify-guardd.service",
    ),
    (
        "rules",
        "  unify rules\n  unify rules --json | jq '.rules[].reason'",
    ),
    (
        "schema",
        "  unify schema\n  unify schema plan\n  unify schema status > status.schema.json",
    ),
];

/// The same command with its help arranged.
pub fn arranged(command: Command) -> Command {
    command.mut_subcommands(|sub| {
        let examples = EXAMPLES.iter().find(|(name, _)| *name == sub.get_name());
        let sub = sub.mut_args(|arg| match heading(arg.get_id().as_str()) {
            Some(heading) if !arg.is_positional() => arg.help_heading(heading),
            _ => arg,
        });
        match examples {
            Some((_, examples)) => sub.after_help(format!("Examples:\n{examples}{JSON}")),
            None => sub,
        }
    })
}

/// What all answers for programs have in common.
const JSON: &str = "\n
Notes:
With --json the answer is one object on standard output, and so is an error
(kind unify.error); see `unify schema`. Exit codes: `unify --help`.";

fn heading(id: &str) -> Option<&'static str> {
    let holds = |(_, ids): &&(&str, &[&str])| ids.contains(&id);
    HEADINGS.iter().find(holds).map(|(heading, _)| *heading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_stands_under_one_heading() {
        let mut ids: Vec<&str> = HEADINGS.iter().flat_map(|(_, ids)| *ids).copied().collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
