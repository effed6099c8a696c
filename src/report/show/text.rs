//! A plan for a person at a terminal.

use std::io::{self, Write};

use crate::model::{Action, Escaped, FileLine, Left, Method, ObjectFlag, Skip};

use super::request::{Show, heading, is_row, label};
use crate::report::audit::ONLY;
use crate::report::layout::size::{Sizes, count, counted};
use crate::report::layout::table::{Column, TextTable, section};
use crate::report::near_misses;
use crate::report::plan_view::{ON_TOP, PlanView, Skipped};
use crate::report::totals::By;
use crate::report::words::sentence;
use crate::report::words::sentence::safe;

/// Everything but the actions: the page, or what was asked for and nothing else.
pub(super) fn begin(show: Show, plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    if show.is_page() {
        return page(show, plan, out);
    }
    if plan.is_audit() {
        writeln!(out, "{ONLY}\n")?;
    }
    let missed = &plan.summary.near_misses;
    if show.near_misses {
        near_misses::by(missed, show.sizes()).text(out)?;
        section(
            "One by one:",
            &near_misses::listed(missed, show.sizes()),
            out,
        )?;
        paragraph(&near_misses::remarks(missed, show.sizes()), out)?;
    }
    match show.by {
        Some(_) => groups(show, plan).text(out),
        None if show.selected && !show.lines && !show.near_misses => {
            totals(show.sizes(), plan).text(out)?;
            section("Left alone:", &left_alone(show.sizes(), plan), out)
        }
        None => Ok(()),
    }
}

fn page(show: Show, plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    title(plan, out)?;
    paragraph(&plan.alarm(show.sizes()), out)?;
    totals(show.sizes(), plan).text(out)?;
    for line in plan.caveats(show.sizes()) {
        writeln!(out, "  ({line})")?;
    }
    writeln!(out, "  ({ON_TOP})")?;
    paragraph(&plan.edits(), out)?;
    paragraph(&plan.warnings(), out)?;
    section("Left alone:", &skipped(show.sizes(), plan), out)?;
    section("Shared:", &pairs(show.sizes(), plan), out)?;
    let missed = &plan.summary.near_misses;
    section("Near misses:", &near_misses::by(missed, show.sizes()), out)
}

fn title(plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let header = plan.header;
    let what = if plan.is_audit() { "Audit" } else { "Plan" };
    let (created, tool) = (safe(&header.created), safe(&header.tool));
    writeln!(out, "{what} of {created} by {tool}")?;
    match &header.target {
        None => writeln!(out, "  {ONLY}")?,
        Some(target) => {
            let base = Escaped::of(&target.base.path);
            let filesystem = safe(&target.base.filesystem);
            writeln!(out, "  base     {base} ({filesystem})")?;
            if let Some(how) = &target.method {
                writeln!(out, "  method   {}: {}", how.mode.code(), safe(&how.why))?;
            }
            if let Some(how) = &target.protection {
                writeln!(out, "  protect  {}: {}", how.mode.code(), safe(&how.why))?;
            }
        }
    }
    if let Some(digest) = plan.digest {
        writeln!(out, "  content  {}", digest.content)?;
        let decision = digest.decision.iter();
        decision
            .into_iter()
            .try_for_each(|decision| writeln!(out, "  decision {decision}"))?;
    }
    writeln!(out)
}

/// What is said of the figures of either method.
const IN_INODES: &str = "in allocated blocks, each inode once";
const IN_BLOCKS: &str = "in blocks that nothing else has";
const SPARED: &str = "of page cache are spared, where all of them are read";
const NONE_SPARED: &str = "none is shared: each file keeps a page cache of its own";

/// What would be done, in numbers, by each method; shared with markdown.
pub(super) fn totals(sizes: Sizes, plan: &PlanView<'_>) -> TextTable {
    let totals = plan.tally.totals();
    let mut table = TextTable::new(&[
        ("", Column::Words),
        ("", Column::Number),
        ("", Column::Number),
        ("", Column::Words),
    ]);
    let back = plan.up_to();
    let mut rows = |files: &str, [links, names, bytes, saves]: [u64; 4], method: Method| {
        let names = counted(names, "name");
        table.row([files.into(), count(links), sizes.of(bytes), names]);
        let (how, memory, spared) = match method {
            Method::Reflink => (IN_BLOCKS, NONE_SPARED, 0),
            Method::Hardlink => (IN_INODES, SPARED, plan.tally.memory()),
        };
        let back = format!("{back}{how}");
        table.row(["comes back".into(), String::new(), sizes.of(saves), back]);
        let spared = sizes.of(spared);
        table.row(["memory".into(), String::new(), spared, memory.into()]);
    };
    let (all, part) = (totals, &totals.reflinks);
    let whole = [all.links, all.names, all.bytes, all.saves];
    let reflinks = [part.links, part.names, part.bytes, part.saves];
    let rest: [u64; 4] = std::array::from_fn(|at| whole[at].saturating_sub(reflinks[at]));
    match (plan.is_of_both(), plan.is_of_reflinks()) {
        (true, _) => {
            rows("files to hard-link", rest, Method::Hardlink);
            rows("files to share blocks", reflinks, Method::Reflink);
        }
        (_, true) => rows("files to link", whole, Method::Reflink),
        _ => rows("files to link", whole, Method::Hardlink),
    }
    if !plan.is_of_reflinks() {
        table.row(["objects to make".into(), count(totals.objects)]);
        table.row(["objects to flag".into(), count(totals.flags)]);
    }
    table
}

/// What is left alone, by reason; shared with markdown.
pub(super) fn skipped(sizes: Sizes, plan: &PlanView<'_>) -> TextTable {
    rows_of(sizes, plan.skipped())
}

/// The same of the lines that were counted.
pub(super) fn left_alone(sizes: Sizes, plan: &PlanView<'_>) -> TextTable {
    rows_of(sizes, plan.left_alone())
}

fn rows_of(sizes: Sizes, rows: Vec<Skipped<'_>>) -> TextTable {
    let mut table = TextTable::new(&[
        ("reason", Column::Name),
        ("files", Column::Number),
        ("bytes", Column::Number),
        ("why", Column::Words),
    ]);
    for row in rows {
        let (files, bytes) = (count(row.count.files), sizes.of(row.count.bytes));
        table.row([safe(row.code), files, bytes, row.sentence.into()]);
    }
    table
}

/// How much two guests share; shared with markdown.
pub(super) fn pairs(sizes: Sizes, plan: &PlanView<'_>) -> TextTable {
    let mut table = TextTable::new(&[
        ("guest", Column::Name),
        ("its part", Column::Number),
        ("guest", Column::Name),
        ("its part", Column::Number),
        ("files", Column::Number),
        ("bytes", Column::Number),
    ]);
    let part = |percent: Option<u64>| percent.map_or_else(String::new, |n| format!("{n} %"));
    for pair in plan.pairs() {
        let (a, b) = &pair.shared.guests;
        let (files, bytes) = (count(pair.shared.files), sizes.of(pair.shared.bytes));
        let (part_a, part_b) = (part(pair.percent.0), part(pair.percent.1));
        table.row([a.to_string(), part_a, b.to_string(), part_b, files, bytes]);
    }
    if plan.summary.more_shared > 0 {
        let more = counted(plan.summary.more_shared, "more pair") + " that share less";
        table.row([&more, "", "", "", "", ""].map(str::to_owned));
    }
    table
}

/// The groups that were asked for; shared with markdown.
pub(super) fn groups(show: Show, plan: &PlanView<'_>) -> TextTable {
    let Some(by) = show.by else {
        return TextTable::new(&[]);
    };
    let mut columns = vec![
        (heading(by), Column::Name),
        ("links", Column::Number),
        ("bytes", Column::Number),
        ("comes back", Column::Number),
        ("flags", Column::Number),
        ("left alone", Column::Number),
        ("bytes", Column::Number),
        ("guests", Column::Number),
    ];
    // A flag has no guest, and a guest is one.
    let of_guests = by == By::Guest;
    columns.retain(|(heading, _)| !of_guests || !matches!(*heading, "flags" | "guests"));
    let (mut table, sizes) = (TextTable::new(&columns), show.sizes());
    let groups = plan.tally.groups().into_iter();
    for (key, group) in groups.filter(|(key, _)| is_row(by, key)) {
        let mut cells = vec![
            label(by, key),
            count(group.links),
            sizes.of(group.bytes),
            sizes.of(group.saves),
            count(group.flags),
            count(group.skipped.files),
            sizes.of(group.skipped.bytes),
            count(group.guests.len() as u64),
        ];
        if of_guests {
            cells.remove(4);
        }
        table.cells(cells);
    }
    table
}

fn paragraph(lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// One action: `=` links, `~` shares blocks, `!` flags, `·` leaves alone.
pub(super) fn line(sizes: Sizes, action: &Action, out: &mut dyn Write) -> io::Result<()> {
    let why = sentence::action(action);
    match action {
        Action::Link(it) => {
            let (names, object) = (names(it.into()), sentence::short(it.object));
            let (size, saves) = (sizes.of(it.size), sizes.of(it.saves));
            writeln!(
                out,
                "= {names} -> {object}  {size}, {saves} come back  {why}"
            )
        }
        Action::Reflink(it) => {
            let (names, source) = (names(it.into()), &it.source);
            let (size, saves) = (sizes.of(it.size), sizes.of(it.saves));
            let source = format!("{}:{}", source.guest, source.path);
            writeln!(
                out,
                "~ {names} ~> {source}  {size}, {saves} come back  {why}"
            )
        }
        Action::Flag(it) => {
            let set: Vec<&str> = it.set.iter().map(|flag| word(*flag)).collect();
            let set = set.join("+");
            let (object, names) = (sentence::short(it.object), counted(it.names, "name"));
            writeln!(out, "! {object}  {set}, {names}  {why}")
        }
        Action::Skip(it) => writeln!(
            out,
            "· {}  {}{why}",
            skipped_name(it),
            skipped_size(sizes, it)
        ),
    }
}

fn word(flag: ObjectFlag) -> &'static str {
    match flag {
        ObjectFlag::Guard => "guard",
        ObjectFlag::Iunlink => "iunlink",
        ObjectFlag::Verity => "verity",
        ObjectFlag::Immutable => "immutable",
    }
}

/// `web1:/usr/bin/perl = /usr/bin/perl5.40`: all names of the file.
fn names(line: FileLine<'_>) -> String {
    let mut text = format!("{}:{}", line.guest, line.path);
    text.extend(line.also.iter().map(|name| format!(" = {name}")));
    text
}

fn skipped_name(skip: &Skip) -> String {
    match &skip.left {
        Left::Name { guest, path, .. }
        | Left::Beneath {
            guest, top: path, ..
        } => {
            format!("{guest}:{path}")
        }
        Left::Flag { object } => sentence::short(*object),
    }
}

fn skipped_size(sizes: Sizes, skip: &Skip) -> String {
    match skip.left {
        Left::Name { size, .. } => size.map_or_else(String::new, |size| sizes.of(size) + "  "),
        Left::Beneath { files, bytes, .. } => {
            format!("{}, {}  ", counted(files, "file"), sizes.of(bytes))
        }
        Left::Flag { .. } => String::new(),
    }
}
