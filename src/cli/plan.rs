//! `unify plan`

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::args::code::code;
use super::args::{MannerArgs, OutputArgs, named_base, plan_mode};
use super::terminal::exit::{Exit, Failure, say};
use super::terminal::manner::manner;
use super::terminal::screen::Screen;
use crate::engine::{
    self, GuestArg, GuestSources, ImageArg, Output, PlanOptions, Planned, SourceArg,
};
use crate::model::{
    Asked, DatabaseUse, FlagClearers, GuestName, Ignored, MethodChoice, Objects, OnDamaged,
    Pattern, PatternKind, Policy, Protect, SkipDetail, SkipReason, Summary, parse_size,
};
use crate::report::plan::Goes;
use crate::report::{Format, PlanView, Show, Tally};

/// Scan guests and write a plan; changes nothing
///
/// Two files may be shared when content, mode, owner, modification time and all extended attributes are equal; their
/// paths do not matter. What a package manager calls configuration and what the care rules name (see `unify rules`) is
/// left alone, with a reason.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("Print the report as JSON on standard output")))]
pub(super) struct Args {
    /// Guests: PATH of the root, or NAME=PATH; without a name a guest is called as the base knows it, else by its
    /// directory (web1/rootfs is web1). An image can be compared, too: a tar archive, also packed or `-` for standard
    /// input, an OCI layout, or what `docker save` writes
    #[arg(required = true, value_name = "[NAME=]PATH")]
    guests: Vec<SourceArg>,
    /// Of images for several machines take this one, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    /// Take each PATH for a root, also one that does not look like one and has better ones in it
    #[arg(long)]
    not_a_root: bool,
    /// The base that will hold the shared files. Default: what UNIFY_BASE says, else `.unify` beside the guests
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
    /// Only look: the guests may lie on any mounts, read-only ones and different ones, and no base is needed or tried;
    /// nothing can be applied from such a plan
    #[arg(long)]
    audit: bool,
    /// Where the plan goes: a document, JSON Lines for `.jsonl`, compressed for `.zst`; `-` is standard output,
    /// which is also taken without this option, unless it is a terminal: then only the report is shown
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Permission bits of the plan's file, such as 0640, so that a group may read it. A plan names every file of every
    /// guest, so that nobody else may unless this says so
    #[arg(long, value_name = "MODE", value_parser = plan_mode, default_value = "0600")]
    mode: u32,
    /// Choices from a TOML file (see examples/policy.toml); what is typed wins over it, lists are united
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How files are shared: `hardlink` as one inode, which saves disk and memory; `reflink` by having blocks in
    /// common, copied on write, on XFS and btrfs, where each keeps its own metadata and may be written to; `auto` takes
    /// reflinks where they can be made, else hard links; `both` takes hard links, and reflinks for files that no hard
    /// link takes: content is equal and metadata are not, or they lie in other subvolumes
    #[arg(long, value_parser = code::<MethodChoice>(), value_name = "METHOD", default_value = "hardlink")]
    method: MethodChoice,
    /// With reflinks: also share content that only files of one guest have
    #[arg(long)]
    within: bool,
    /// With reflinks: let files that package managers and care rules call configuration share blocks, too
    #[arg(long)]
    reflink_config: bool,
    /// How shared files are protected; `auto` takes what holds against everybody: the guard where it is loaded (see
    /// `unify guard`), `iunlink` on kernels with VServer's flags, `verity` on file systems that seal files, or the
    /// immutable flag; `immutable` must be given on XFS and btrfs, and `none` twice: a write by one guest then changes
    /// all
    #[arg(long, value_parser = code::<Protect>(), value_name = "MODE", action = clap::ArgAction::Append)]
    protect: Vec<Protect>,
    /// Share files although this differs; they all get the object's, and undo gives each its own back
    #[arg(long, value_parser = code::<Ignored>(), value_name = "WHAT")]
    ignore: Vec<Ignored>,
    /// Share only files with equal paths
    #[arg(long)]
    same_path: bool,
    /// Leave smaller files alone: bytes, or with K, M, G
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "0")]
    min_size: u64,
    /// Switch a care rule off, by its code; may be given several times (see `unify rules`)
    #[arg(long, value_name = "CODE", value_parser = care_code)]
    allow: Vec<SkipReason>,
    /// Leave alone what this glob matches and what is beneath: in all guests or, as GUEST:/GLOB, in one; links are
    /// followed as the guest follows them; `*` stops at slashes, `**` does not; the first match of all patterns wins
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Share what this glob matches although a care rule on its path says no; never a package's config files
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Patterns from a file in vhashify's syntax: `+` include, `-` or nothing exclude, `~` exclude, then a path or
    /// GUEST:/PATH; unlike in --exclude `*` matches slashes here too, and an include covers the matched names alone
    #[arg(long, value_name = "FILE")]
    exclude_from: Vec<PathBuf>,
    /// Where objects come from: the inode of a stopped guest where that is safe, or always a copy
    #[arg(long, value_parser = code::<Objects>(), default_value = "adopt")]
    objects: Objects,
    /// List every file that is left alone, or sum them up by directory
    #[arg(long, value_parser = code::<SkipDetail>(), default_value = "summary")]
    skips: SkipDetail,
    /// What becomes of a guest whose package database is damaged
    #[arg(long, value_parser = code::<OnDamaged>(), default_value = "exclude-guest")]
    on_damaged_database: OnDamaged,
    /// What becomes of guests that could take the flag off a shared file: `warn` says so in the plan, with the line to
    /// write; `refuse` links none of their files, `refuse-unknown` also none of guests of which it is not known
    #[arg(long, value_parser = code::<FlagClearers>(), default_value = "warn")]
    flag_clearers: FlagClearers,
    /// Ask the guests' package databases which files are configuration, or not: for all, or NAME:ignore for one guest
    #[arg(long, value_name = "[NAME:]use|ignore", value_parser = database_use)]
    package_databases: Vec<(Option<GuestName>, Asked)>,
    /// Read every file that may have twins, also those that the base remembers from earlier plans
    #[arg(long)]
    no_cache: bool,
    /// At most so many threads; default: as many as there are cores. On a rotating disk one of them reads files, in the
    /// order in which they lie there, whatever is given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    manners: MannerArgs,
    /// Exit with 10 if there is something to link or to protect, or something that guests share without protection
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    report: OutputArgs,
}

pub(super) fn run(args: &Args, matches: &ArgMatches) -> Result<Exit, Failure> {
    let goes = Goes::of(args.output.as_deref(), args.report.json)?;
    let options = options(args, matches)?;
    if options.base.is_none() && (args.base.is_some() || !args.protect.is_empty()) {
        say(NOT_USED);
    }
    if let Some(line) = of_other_method(args) {
        say(line);
    }
    let output = match goes {
        Goes::To(file) => Output::File(file.to_owned(), args.mode),
        Goes::ToStandardOutput => Output::Stream(Box::new(io::stdout())),
        Goes::Nowhere => Output::Stream(Box::new(io::sink())),
    };
    let (mut tally, screen) = (Tally::new(None), Screen::new());
    let planned = engine::plan(&options, output, &mut |action| tally.take(action), &screen)?;
    report(args, goes, &planned, &tally)?;
    Ok(exit(args, &planned, screen.has_unread()))
}

const NOT_USED: &str = "NOT USED: --base and --protect say how a plan is applied, and nothing is applied from an audit";

/// Choices of one method that say nothing to the other.
fn of_other_method(args: &Args) -> Option<&'static str> {
    match args.method {
        MethodChoice::Reflink if !args.protect.is_empty() || !args.ignore.is_empty() => Some(
            "NOT USED: --protect and --ignore are about files that become one inode, and reflinks leave each its own",
        ),
        MethodChoice::Hardlink if args.within || args.reflink_config => Some(
            "NOT USED: --within and --reflink-config are about reflinks: give --method reflink, both or auto",
        ),
        _ => None,
    }
}

impl Goes<'_> {
    /// A plan is long, and a report on standard output must be alone there.
    fn of(output: Option<&Path>, json: bool) -> Result<Goes<'_>, Failure> {
        match output {
            Some(file) if file != Path::new("-") => Ok(Goes::To(file)),
            _ if json => Err(Failure::Usage(
                "--json prints the report on standard output: give the plan a file with --output"
                    .into(),
            )),
            None if io::stdout().is_terminal() => Ok(Goes::Nowhere),
            _ => Ok(Goes::ToStandardOutput),
        }
    }
}

fn report(args: &Args, goes: Goes<'_>, planned: &Planned, tally: &Tally) -> Result<(), Failure> {
    let Planned {
        header,
        guests,
        summary,
        digest,
    } = planned;
    let view = PlanView {
        header,
        guests,
        summary,
        tally,
        digest: Some(*digest),
        file: match goes {
            Goes::To(file) => Some(file),
            _ => None,
        },
    };
    if args.report.json {
        let show = Show {
            by: None,
            format: Format::Json,
            lines: false,
            near_misses: false,
            bytes: args.report.bytes,
            selected: false,
        };
        return Ok(show.begin(&view, &mut io::stdout().lock())?.end()?);
    }
    let sizes = args.report.sizes();
    let mut out = io::stderr().lock();
    match manner().quiet {
        true => crate::report::plan::needs_person(&view, sizes, &mut out)?,
        false => crate::report::plan::text(&view, goes, sizes, &mut out)?,
    }
    Ok(())
}

fn exit(args: &Args, planned: &Planned, unread: bool) -> Exit {
    if unread || planned.is_partial() {
        Exit::Unread
    } else if args.exit_code && has_something(&planned.summary) {
        Exit::Something
    } else {
        Exit::Done
    }
}

/// Is there something to link or to protect, or something that guests share without protection?
fn has_something(summary: &Summary) -> bool {
    let open = summary.flags_lost > 0 || summary.unprotected.all.files > 0;
    open || summary.totals.links > 0 || summary.totals.flags > 0
}

fn options(args: &Args, matches: &ArgMatches) -> Result<PlanOptions, Failure> {
    let GuestSources {
        directories,
        images,
    } = GuestSources::of(&args.guests, args.platform.as_deref(), args.not_a_root)?;
    engine::meet(&directories, args.not_a_root)?;
    let base = match is_audit(args, &directories, &images)? {
        true => None,
        false => Some(match named_base(args.base.as_deref()) {
            Some(base) => base,
            None => engine::default_base(&directories)?,
        }),
    };
    let guests = engine::named(&directories, base.as_deref())?;
    let mut policy = Policy {
        ignore: once(&args.ignore),
        same_path: args.same_path,
        min_size: args.min_size,
        allow: once(&args.allow),
        patterns: patterns(args, matches)?,
        objects: args.objects,
        skips: args.skips,
        on_damaged_database: args.on_damaged_database,
        package_databases: databases(args),
        flag_clearers: args.flag_clearers,
        method: args.method,
        within: args.within,
        reflink_config: args.reflink_config,
        file: None,
    };
    let mut protect = protect(&args.protect)?;
    if let Some(file) = &args.policy {
        super::policy::merge(&mut policy, &mut protect, file, matches)?;
    }
    Ok(PlanOptions {
        guests,
        images,
        base,
        protect,
        policy,
        refreezes: None,
        confine: true,
        cache: !args.no_cache,
        jobs: args.jobs.map(usize::from),
        page_cache: args.manners.take()?,
    })
}

/// Images alone can only be compared; beside directories that is to be said.
fn is_audit(args: &Args, directories: &[GuestArg], images: &[ImageArg]) -> Result<bool, Failure> {
    match images.first() {
        Some(image) if !args.audit && !directories.is_empty() => Err(image.needs_audit().into()),
        image => Ok(args.audit || image.is_some()),
    }
}

fn databases(args: &Args) -> DatabaseUse {
    let mut chosen = DatabaseUse::default();
    for (guest, asked) in &args.package_databases {
        match guest {
            None => chosen.all = *asked,
            Some(guest) => drop(chosen.guests.insert(guest.clone(), *asked)),
        }
    }
    chosen
}

/// `use`, `ignore`, or one of them for a guest.
fn database_use(text: &str) -> Result<(Option<GuestName>, Asked), String> {
    let (guest, word) = match text.rsplit_once(':') {
        Some((guest, word)) => (
            Some(GuestName::new(guest).map_err(|e| e.to_string())?),
            word,
        ),
        None => (None, text),
    };
    match word {
        "use" => Ok((guest, Asked::Use)),
        "ignore" => Ok((guest, Asked::Ignore)),
        _ => Err("expected use, ignore, NAME:use or NAME:ignore".into()),
    }
}

/// In order, and each once.
fn once<T: Clone + Ord>(given: &[T]) -> Vec<T> {
    let mut once = given.to_vec();
    once.sort();
    once.dedup();
    once
}

/// Unprotected sharing must be meant: it is typed twice.
fn protect(given: &[Protect]) -> Result<Protect, Failure> {
    match given {
        [] => Ok(Protect::Auto),
        [Protect::None, Protect::None] => Ok(Protect::None),
        [Protect::None] => Err(Failure::Usage(
            "--protect none leaves shared files open to in-place writes, which then change them for every guest: give it twice if you mean it".into(),
        )),
        [one] => Ok(*one),
        _ => Err(Failure::Usage("give --protect once, and only `none` twice".into())),
    }
}

/// All patterns in the order of the command line: the first match wins.
fn patterns(args: &Args, matches: &ArgMatches) -> Result<Vec<Pattern>, Failure> {
    let mut all: Vec<(usize, Vec<Pattern>)> = Vec::new();
    let at = |id: &str| {
        matches
            .indices_of(id)
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    for (index, glob) in at("exclude").into_iter().zip(&args.exclude) {
        all.push((
            index,
            vec![pattern(PatternKind::Exclude, glob, "--exclude")],
        ));
    }
    for (index, glob) in at("include").into_iter().zip(&args.include) {
        all.push((
            index,
            vec![pattern(PatternKind::Include, glob, "--include")],
        ));
    }
    for (index, path) in at("exclude_from").into_iter().zip(&args.exclude_from) {
        all.push((index, engine::read_patterns(path)?));
    }
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().flat_map(|(_, patterns)| patterns).collect())
}

fn pattern(kind: PatternKind, glob: &str, from: &str) -> Pattern {
    Pattern::of(kind, glob, false, from)
}

/// A code of a care rule.
fn care_code(text: &str) -> Result<SkipReason, String> {
    let codes = || crate::rules::care::table().iter().map(|rule| rule.reason);
    let found = codes().find(|reason| reason.code() == text);
    found.ok_or_else(|| {
        let mut all: Vec<&str> = codes().map(SkipReason::code).collect();
        all.sort_unstable();
        all.dedup();
        format!("no care rule has this code; there are: {}", all.join(", "))
    })
}
