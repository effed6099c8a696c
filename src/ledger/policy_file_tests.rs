use super::*;

fn care(code: &str) -> Option<SkipReason> {
    [SkipReason::Privileged, SkipReason::Cache, SkipReason::Etc]
        .into_iter()
        .find(|reason| reason.code() == code)
}

fn read(text: &str) -> Result<PolicyFile, String> {
    parse(text, "p.toml", "2026-11-21", care).map_err(|bad| bad.to_string())
}

#[test]
fn every_key() {
    let text = r#"
ignore = ["mtime"]
same-path = true
min-size = "4K"
allow = ["privileged"]
method = "reflink"
within = true
reflink-config = true
objects = "copy"
skips = "all"
protect = "immutable"
on-damaged-database = "care-rules-only"
flag-clearers = "refuse-unknown"
package-databases = "ignore"

[care]
cache = false
etc = true

[package-databases-of]
web = "use"

[[pattern]]
exclude = "*.pyc"
reason = "made on the spot"

[[pattern]]
include = "/srv/www/**"
reason = "the same site everywhere"
until = "2027-01-31"
"#;
    let policy = read(text).unwrap();
    assert_eq!(policy.min_size, Some(4096));
    let mut allow = vec![SkipReason::Privileged, SkipReason::Cache];
    allow.sort();
    assert_eq!(policy.allow, allow);
    assert_eq!(policy.on_damaged_database, Some(OnDamaged::CareRulesOnly));
    assert_eq!(policy.flag_clearers, Some(FlagClearers::RefuseUnknown));
    assert_eq!(policy.method, Some(MethodChoice::Reflink));
    assert_eq!(
        (policy.within, policy.reflink_config),
        (Some(true), Some(true))
    );
    assert_eq!(policy.package_databases, Some(Asked::Ignore));
    assert_eq!(policy.package_databases_of.len(), 1);
    assert_eq!(policy.patterns.len(), 2);
    assert_eq!(policy.patterns[0].from, "p.toml:23");
    assert_eq!(policy.patterns[1].kind, PatternKind::Include);
    for key in KEYS {
        assert!(text.contains(key), "{key}");
    }
    assert_eq!(read("").unwrap(), PolicyFile::default());
}

#[test]
fn mistakes_name_their_line() {
    for (text, want) in [
        (
            "min_size = 3\n",
            "p.toml:1: unknown key \"min_size\": did you mean \"min-size\"?",
        ),
        (
            "\nprotekt = \"auto\"\n",
            "p.toml:2: unknown key \"protekt\": did you mean \"protect\"?",
        ),
        (
            "\n\nxyzzy = 1\n",
            "p.toml:3: unknown key \"xyzzy\": the keys are ignore, ",
        ),
        (
            "allow = [\n \"no-such\"]\n",
            "p.toml:2: no care rule has the code \"no-such\"",
        ),
        (
            "allow = [\"etc\"]\n[care]\netc = true\n",
            "p.toml:3: etc is switched on here",
        ),
        (
            "protect = \"none\"\n",
            "p.toml:1: none cannot stand in a file",
        ),
        ("same-path = 1\n", "p.toml:1: "),
        ("min-size = \"4X\"\n", "p.toml:1: min-size: "),
        ("min-size = -1\n", "p.toml:1: min-size: "),
        (
            "[[pattern]]\nreason = \"x\"\n",
            "p.toml:1: a pattern needs exclude or include",
        ),
        (
            "[[pattern]]\nexclude = \"x\"\n",
            "p.toml:1: missing field `reason`",
        ),
        (
            "\n[[pattern]]\nexclude = \"x\"\nreason = \"y\"\nuntil = \"2026-11-20\"\n",
            "p.toml:2: this exception ended on 2026-11-20",
        ),
        (
            "[[pattern]]\nexclude = \"x\"\nreason = \"y\"\nuntil = \"soon\"\n",
            "p.toml:1: until: expected a day",
        ),
        ("a = [", "p.toml:1: "),
    ] {
        let why = read(text).unwrap_err();
        assert!(why.starts_with(want), "{text:?}: {why}");
    }
}
