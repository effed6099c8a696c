//! `unify check`

mod forms;

use std::io;
use std::path::PathBuf;

use super::args::{MannerArgs, named_base, plan_mode};
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use crate::engine::{
    self, BaselineUse, CheckOptions, CheckPapers, GuestSources, PaperKind, PlanFile, PlanOptions,
    SourceArg, WantedPaper,
};
use crate::ledger::check_policy;
use crate::model::{
    CheckOutcome, CheckPolicy, CheckRule, FindingLevel, GuestName, LeastShare, OnDamaged, Policy,
    Protect, parse_size,
};
use crate::report::findings::rules;
use forms::{Forms, WantedForm};

/// Look for what should not be in guests, or in a plan; changes nothing
///
/// Rules have names that stay: secrets that guests share, keys that are part of an image, files that no package has
/// brought, programs with more rights in one guest than in another, and more (--list-rules). Exits with 11 if there are
/// findings at or above --fail-on, and with 3 if something could not be looked at: a gate that could not look does not
/// pass.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("The same as --format json")))]
pub(super) struct Args {
    /// Guests: PATH of the root, or NAME=PATH; they may lie on any mounts, read-only ones, too. An image is a guest as
    /// well: a tar archive, also packed or `-` for standard input, an OCI layout, or what `docker save` writes
    #[arg(value_name = "[NAME=]PATH", required_unless_present_any = ["plan", "list_rules"], conflicts_with = "plan")]
    guests: Vec<SourceArg>,
    /// Of images for several machines take this one, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH", conflicts_with = "plan")]
    platform: Option<String>,
    /// Check this plan instead of guests: what it says of them, and what it would link
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// With --plan: also look at every file of a link line, whether it is what the plan says
    #[arg(long, requires = "plan")]
    stale: bool,
    /// Take each PATH for a root, also one that does not look like one and has better ones in it
    #[arg(long, conflicts_with = "plan")]
    not_a_root: bool,
    /// A base whose objects guests may share. Default: what UNIFY_BASE says, and `.unify` beside the guests
    #[arg(long, value_name = "DIR", conflicts_with = "plan")]
    base: Option<PathBuf>,
    /// Levels, bounds and exceptions from a TOML file (see examples/check.toml); what is typed wins over it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Findings of this level or a higher one fail: error, warn or info. Default: what the policy says, else error
    #[arg(long, value_name = "LEVEL", value_parser = check_policy::fail_on)]
    fail_on: Option<FindingLevel>,
    /// The level of a rule: error, warn, info or off; may be given several times
    #[arg(long, value_name = "RULE=LEVEL", value_parser = rule_level)]
    level: Vec<(CheckRule, Option<FindingLevel>)>,
    /// Most bytes that a guest may have alone, with K, M or G (rule budget-exceeded)
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_unique_bytes: Option<u64>,
    /// What two guests shall share at least, as a part of the smaller one, from 0 to 1 (rule sharing-below)
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_share: Option<u64>,
    /// The guest that the others shall be like, below /usr (rule drift-from-golden)
    #[arg(long, value_name = "NAME", value_parser = guest_name)]
    golden: Option<GuestName>,
    /// Take no exception of the policy
    #[arg(long)]
    no_ignores: bool,
    /// An exception that is of no use fails
    #[arg(long)]
    strict_ignores: bool,
    /// Findings of this file are known, and do not fail
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write all findings, old and new, as the baseline of the next check; what is new fails this one all the same
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// The day by which exceptions end, instead of today in UTC: for trying a policy
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    today: Option<String>,
    /// How the answer is written: text, json, sarif, junit, github, gitlab or markdown. With =FILE it goes there, and
    /// other forms may be given besides
    #[arg(long, value_name = "FORM[=FILE]", value_parser = forms::wanted)]
    format: Vec<WantedForm>,
    /// Permission bits of files that are written: findings name files of guests
    #[arg(long, value_name = "MODE", value_parser = plan_mode, default_value = "0600")]
    mode: u32,
    /// List the rules, with their levels and what ends their findings
    #[arg(long)]
    list_rules: bool,
    /// All findings of a rule, of which otherwise 20 are shown
    #[arg(long)]
    all: bool,
    /// At most so many threads; default: as many as there are cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    manners: MannerArgs,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let forms = Forms::of(&args.format, args.json)?;
    if args.list_rules {
        return list_rules(args.json);
    }
    let options = options(args)?;
    let papers = CheckPapers::new(papers(args, &forms), args.mode);
    let screen = Screen::new();
    let (checked, papers) = match &args.plan {
        Some(plan) => {
            let mut plan = PlanFile::open(plan)?;
            engine::check_plan(&mut plan, args.stale, &options, papers, &screen)?
        }
        None => engine::check_guests(&guests(args)?, &options, papers, &screen)?,
    };
    let exit = exit(&checked, screen.has_unread());
    papers.publish(&mut |kind| match kind {
        PaperKind::Baseline => Ok(engine::baseline(&checked)),
        PaperKind::Report(number) => forms.in_file(number, &checked),
    })?;
    forms.print(&checked, exit, args.all)?;
    Ok(exit)
}

fn list_rules(json: bool) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    match json {
        true => rules::json(&mut out)?,
        false => rules::text(&mut out)?,
    }
    Ok(Exit::Done)
}

/// What could not be looked at comes before what was found: both are told.
fn exit(checked: &CheckOutcome, unread: bool) -> Exit {
    if unread || checked.is_blind() {
        Exit::Unread
    } else if checked.failing().next().is_some() {
        Exit::Findings
    } else {
        Exit::Done
    }
}

/// The guests, as an audit reads them.
fn guests(args: &Args) -> Result<PlanOptions, Failure> {
    let GuestSources {
        directories,
        images,
    } = GuestSources::of(&args.guests, args.platform.as_deref(), args.not_a_root)?;
    engine::meet(&directories, args.not_a_root)?;
    let base = named_base(args.base.as_deref());
    Ok(PlanOptions {
        images,
        guests: engine::named(&directories, base.as_deref())?,
        base,
        protect: Protect::Auto,
        // A guest with a damaged database is looked at all the same: the damage is a finding.
        policy: Policy {
            on_damaged_database: OnDamaged::CareRulesOnly,
            ..Policy::default()
        },
        refreezes: None,
        confine: true,
        cache: false,
        jobs: args.jobs.map(usize::from),
        page_cache: args.manners.take()?,
    })
}

fn options(args: &Args) -> Result<CheckOptions, Failure> {
    let baseline = args
        .baseline
        .as_deref()
        .map(engine::read_baseline)
        .transpose()?;
    Ok(CheckOptions {
        policy: policy(args)?,
        file: args
            .policy
            .as_ref()
            .map(|file| file.to_string_lossy().into_owned()),
        today: args.today.clone(),
        no_ignores: args.no_ignores,
        strict_ignores: args.strict_ignores,
        baseline: baseline.map_or(BaselineUse::None, BaselineUse::Known),
    })
}

/// The file's choices, and what was typed over them.
fn policy(args: &Args) -> Result<CheckPolicy, Failure> {
    let read = args.policy.as_deref().map(engine::read_check_policy);
    let mut policy = read.transpose()?.unwrap_or_default();
    policy.fail_on = args.fail_on.unwrap_or(policy.fail_on);
    policy.levels.extend(args.level.iter().copied());
    policy.most_unique = args.max_unique_bytes.or(policy.most_unique);
    policy.golden = args.golden.clone().or(policy.golden);
    if let Some(thousandths) = args.min_share {
        let bytes = policy
            .least_share
            .map_or(check_policy::LEAST_MISSING, |least| least.bytes);
        policy.least_share = Some(LeastShare { thousandths, bytes });
    }
    Ok(policy)
}

fn papers(args: &Args, forms: &Forms) -> Vec<WantedPaper> {
    let baseline = args.write_baseline.iter().map(|path| WantedPaper {
        kind: PaperKind::Baseline,
        path: path.clone(),
    });
    let reports = forms.files().map(|(number, path)| WantedPaper {
        kind: PaperKind::Report(number),
        path: path.to_owned(),
    });
    baseline.chain(reports).collect()
}

fn rule_level(text: &str) -> Result<(CheckRule, Option<FindingLevel>), String> {
    let (rule, level) = text.split_once('=').ok_or("expected RULE=LEVEL")?;
    Ok((check_policy::rule(rule)?, check_policy::level(level)?))
}

fn share(text: &str) -> Result<u64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    check_policy::share(number)
}

fn guest_name(text: &str) -> Result<GuestName, String> {
    GuestName::new(text).map_err(|bad| bad.to_string())
}

fn day(text: &str) -> Result<String, String> {
    match check_policy::is_day(text) {
        true => Ok(text.to_owned()),
        false => Err("expected a day as 2027-01-31".to_owned()),
    }
}
