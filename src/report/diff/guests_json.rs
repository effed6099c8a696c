//! What two guests have not in common, for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::words::kind_word;
use super::{DiffView, ListedJson};
use crate::model::{
    ComparedGuest, Count, EntrySide, EntryVerdict, GuestsCompared, NameDifference, SideOf,
};
use crate::report::layout::json::{BytesJson, PathJson};

#[derive(Serialize)]
struct GuestsDiffJson<'a> {
    /// `unify.diff-guests`.
    kind: &'static str,
    old_guest: ComparedGuestJson<'a>,
    new_guest: ComparedGuestJson<'a>,
    /// Null where the packages of one guest cannot be read.
    package_changes: Option<Vec<PackageJson<'a>>>,
    packages_unknown: Option<&'a str>,
    not_held: &'a [&'static str],
}

#[derive(Serialize)]
struct ComparedGuestJson<'a> {
    guest: &'a str,
    place: &'a str,
    installed: Option<u64>,
}

#[derive(Serialize)]
struct PackageJson<'a> {
    what: &'static str,
    package: &'a str,
    old_versions: &'a [String],
    new_versions: &'a [String],
}

/// What is known when all names were compared.
#[derive(Serialize)]
struct GuestSumsJson<'a> {
    same: bool,
    only_old: Count,
    only_new: Count,
    others_only_old: u64,
    others_only_new: u64,
    differing: u64,
    by: &'a BTreeMap<&'static str, u64>,
    equal: u64,
    mtime_only: u64,
    privileged: u64,
    unread: u64,
}

#[derive(Serialize)]
struct ChangedNameJson<'a> {
    what: &'static str,
    #[serde(flatten)]
    path: PathJson,
    fields: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    /// Do the rights differ that running it gives?
    privileged_differs: bool,
    old: Option<EntryJson<'a>>,
    new: Option<EntryJson<'a>>,
}

/// What a name refers to.
#[derive(Serialize)]
pub(super) struct EntryJson<'a> {
    file_type: &'static str,
    size: u64,
    mode: String,
    uid: u32,
    gid: u32,
    mtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_target: Option<BytesJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Vec<BytesJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
}

impl<'a> EntryJson<'a> {
    pub(super) fn of(side: &'a EntrySide) -> EntryJson<'a> {
        let owner = side.owner.as_ref();
        let names = side.metadata.as_ref().map(|metadata| {
            let names = metadata.xattrs.iter().map(|xattr| xattr.name.as_slice());
            names.map(BytesJson::from).collect()
        });
        EntryJson {
            file_type: kind_word(side.state.kind),
            size: side.state.size,
            mode: format!("{:04o}", side.state.mode),
            uid: side.state.uid,
            gid: side.state.gid,
            mtime: side.state.mtime.to_string(),
            link_target: side.target.as_deref().map(BytesJson::from),
            attributes: names,
            package: owner.map(|owner| owner.package.as_str()),
            version: owner.and_then(|owner| owner.version.as_deref()),
        }
    }
}

/// Guests and packages, before the names are compared; their list begins.
pub fn begin<'w>(
    known: &GuestsCompared,
    view: DiffView,
    out: &'w mut dyn Write,
) -> io::Result<ListedJson<'w>> {
    let packages = known.packages.iter().map(|package| PackageJson {
        what: match (package.is_in(SideOf::Old), package.is_in(SideOf::New)) {
            (true, false) => "gone",
            (false, _) => "new",
            (true, true) => "changed",
        },
        package: &package.name,
        old_versions: &package.old,
        new_versions: &package.new,
    });
    let value = GuestsDiffJson {
        kind: "unify.diff-guests",
        old_guest: guest(&known.old),
        new_guest: guest(&known.new),
        package_changes: known.packages_unknown.is_none().then(|| packages.collect()),
        packages_unknown: known.packages_unknown.as_deref(),
        not_held: &known.not_held,
    };
    ListedJson::begin(&value, (!view.stat).then_some("changes"), out)
}

fn guest(guest: &ComparedGuest) -> ComparedGuestJson<'_> {
    ComparedGuestJson {
        guest: guest.name.as_str(),
        place: &guest.place,
        installed: guest.packages,
    }
}

impl ListedJson<'_> {
    /// One more name that is not the same.
    pub fn name(&mut self, name: &NameDifference) -> io::Result<()> {
        let (what, fields, why): (_, &[&'static str], _) = match &name.verdict {
            EntryVerdict::Only(SideOf::Old) => ("gone", &[], None),
            EntryVerdict::Only(SideOf::New) => ("new", &[], None),
            EntryVerdict::Differs(fields) => ("changed", fields, None),
            EntryVerdict::Unknown(why) => ("unknown", &[], Some(why.as_str())),
        };
        self.item(&ChangedNameJson {
            what,
            path: PathJson::from(&name.path),
            fields,
            why,
            privileged_differs: name.rights_differ(),
            old: name.old.as_ref().map(EntryJson::of),
            new: name.new.as_ref().map(EntryJson::of),
        })
    }
}

/// The sums, behind the list.
pub fn end(listed: ListedJson<'_>, found: &GuestsCompared) -> io::Result<()> {
    let value = GuestSumsJson {
        same: !found.has_something(),
        only_old: found.only_old,
        only_new: found.only_new,
        others_only_old: found.others_only.0,
        others_only_new: found.others_only.1,
        differing: found.differing,
        by: &found.by,
        equal: found.equal,
        mtime_only: found.mtime_only,
        privileged: found.privileged,
        unread: found.unread,
    };
    listed.end_with(&value)
}
