//! The mount tables of all namespaces that tasks are in, read line by line: what is kept are numbers of mounts, and
//! more of those alone that show something of a watched device, or are overlays.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Seek};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::file_mounts::FileMounts;
use super::layer_names::{LayerFrame, Overlay};
use super::layers::LayerJudge;
use super::mountinfo::MountLine;
use super::own_table::OwnTable;
use super::paths::{beneath, strip, unescape};
use super::places::{BlockDevice, MountedTree, ShownMount};
use super::real_paths::RealPaths;
use crate::model::{Escaped, GuestPath};
use crate::sys::{SysError, SysResult};

/// What a place is to the watched trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceVerdict {
    Outside,
    /// In these.
    Inside(Vec<usize>),
    /// No table that was read knows the mount.
    UnknownMount,
}

/// A mount by its number.
#[derive(Debug, Clone)]
enum KnownMount {
    /// Not on a watched device, or nothing of a watched tree is in it.
    Apart,
    Shows(Box<ShownMount>),
}

/// What is kept of one namespace.
#[derive(Debug, Default)]
pub struct NamespaceTable {
    mounts: HashMap<u64, KnownMount>,
    overlays: Vec<Overlay>,
    frame: LayerFrame,
    covered: Vec<(usize, GuestPath)>,
    mounted: FileMounts,
    /// Was it read through a root from which all of it is seen? Kept open to be told of changes.
    file: Option<File>,
    /// Why a tree is not mounted only where we have it: judged anew when a table has changed.
    exposed: BTreeMap<usize, String>,
    /// Of which overlay it is a layer.
    overlaid: BTreeMap<usize, String>,
    is_judged: bool,
}

/// All tables; namespaces by the numbers of their inodes.
#[derive(Debug)]
pub struct MountTables {
    trees: Vec<MountedTree>,
    own: OwnTable,
    own_namespace: u64,
    namespaces: BTreeMap<u64, NamespaceTable>,
    /// In which namespace a mount was met.
    met: HashMap<u64, u64>,
    /// What leads through links of ours.
    links: RealPaths,
}

/// So many tables are kept open. What is asked again of others is not known.
const MOST_KEPT_OPEN: usize = 512;

/// Distinct overlays of which one namespace may tell. An unprivileged user can have as many as mounts.
const MOST_OVERLAYS: usize = 4096;

impl MountTables {
    /// Nothing was read but our own table.
    pub fn new(own: OwnTable, own_namespace: u64, trees: Vec<MountedTree>) -> MountTables {
        MountTables {
            trees,
            own,
            own_namespace,
            namespaces: BTreeMap::new(),
            met: HashMap::new(),
            links: RealPaths::default(),
        }
    }

    /// The trees that are watched.
    pub fn trees(&self) -> &[MountedTree] {
        &self.trees
    }

    /// Is a watched tree on a btrfs?
    pub fn is_any_btrfs(&self) -> bool {
        self.trees.iter().any(|tree| self.own.is_btrfs(tree.device))
    }

    /// Is it ours?
    pub fn is_own(&self, namespace: u64) -> bool {
        self.own_namespace == namespace
    }

    /// Was it read?
    pub fn knows(&self, namespace: u64) -> bool {
        self.namespaces.contains_key(&namespace)
    }

    /// Reads a table, anew if it was read before. Returns false where not all of it is seen from there.
    pub fn read(&mut self, namespace: u64, mut file: File) -> SysResult<bool> {
        if self.is_own(namespace) {
            self.own = own_table(&mut file)?;
            self.namespaces
                .values_mut()
                .for_each(|table| table.is_judged = false);
        }
        let (mut table, is_whole) = self.parse(&mut file)?;
        table.file = (self.namespaces.len() < MOST_KEPT_OPEN).then_some(file);
        if let Some(old) = self.namespaces.get(&namespace) {
            for id in old.mounts.keys() {
                if self.met.get(id) == Some(&namespace) {
                    self.met.remove(id);
                }
            }
        }
        self.met
            .extend(table.mounts.keys().map(|id| (*id, namespace)));
        self.namespaces.insert(namespace, table);
        Ok(is_whole)
    }

    /// Twice where it must be: paths of layers are only known once all overlays are, and a mount may be told of before
    /// the one that it lies on.
    fn parse(&self, file: &mut File) -> SysResult<(NamespaceTable, bool)> {
        let mut table = NamespaceTable::default();
        let (mut is_whole, mut orphans) = (false, Vec::new());
        each_line(file, |line| {
            is_whole |= line.point == b"/";
            let known = self.known(line);
            if !table.mounts.contains_key(&line.parent) {
                orphans.push(line.parent);
            }
            self.cover(line, &mut table);
            if let KnownMount::Shows(mount) = &known {
                table.mounted.note(&self.trees, mount);
            }
            table.mounts.insert(line.id, known);
            if table.overlays.len() <= MOST_OVERLAYS {
                table.overlays.extend(Overlay::of(line));
            }
        })?;
        let late = |id: &u64| matches!(table.mounts.get(id), Some(KnownMount::Shows(_)));
        let is_late = orphans.iter().any(late);
        if is_late || !table.overlays.is_empty() {
            table.frame = LayerFrame::of(&table.overlays);
            let mut frame = std::mem::take(&mut table.frame);
            each_line(file, |line| {
                frame.add(line);
                if is_late {
                    self.cover(line, &mut table);
                }
            })?;
            table.frame = frame;
        }
        Ok((table, is_whole))
    }

    fn known(&self, line: &MountLine<'_>) -> KnownMount {
        let mut trees = self.trees.iter();
        if !trees.any(|tree| tree.device == line.device) {
            return KnownMount::Apart;
        }
        let root = unescape(line.root);
        let mut trees = self.trees.iter();
        if !trees.any(|tree| tree.touches(line.device, &root)) {
            return KnownMount::Apart;
        }
        KnownMount::Shows(Box::new(ShownMount {
            device: line.device,
            root,
            point: unescape(line.point),
        }))
    }

    /// Notes the name in a tree that the mount lies on.
    fn cover(&self, line: &MountLine<'_>, table: &mut NamespaceTable) {
        let Some(KnownMount::Shows(below)) = table.mounts.get(&line.parent) else {
            return;
        };
        let Some(place) = below.within(&unescape(line.point)) else {
            return;
        };
        for (at, tree) in self.trees.iter().enumerate() {
            let rest = strip(&tree.path, &place).filter(|rest| !rest.is_empty());
            let name = rest.filter(|_| tree.device == below.device);
            table
                .covered
                .extend(name.and_then(|name| Some((at, GuestPath::new(name).ok()?))));
        }
    }

    /// Names in a tree that are mounted themselves in any namespace, and where.
    pub fn mounted_of(&self, tree: usize) -> BTreeMap<GuestPath, String> {
        let mut names = BTreeMap::new();
        for table in self.namespaces.values() {
            table.mounted.add_to(tree, &mut names);
        }
        names
    }

    /// What the place is that a task reached through this mount. `text` is its path as the kernel tells it, from the
    /// root of the namespace on; `None` where that is too long to be told.
    pub fn judge(&self, mount: u64, text: Option<&[u8]>) -> PlaceVerdict {
        let table = self.met.get(&mount).and_then(|n| self.namespaces.get(n));
        let shown = match table.and_then(|table| table.mounts.get(&mount)) {
            None => return PlaceVerdict::UnknownMount,
            Some(KnownMount::Apart) => return PlaceVerdict::Outside,
            Some(KnownMount::Shows(shown)) => shown,
        };
        let place = |text: &[u8]| shown.within(text);
        let alive = text.map(|text| text.strip_suffix(b" (deleted)").unwrap_or(text));
        let places = [text.and_then(place), alive.and_then(place)];
        let holds = |tree: &MountedTree| {
            let mut all = places.iter().flatten();
            all.any(|place| tree.holds(shown.device, place))
        };
        // A path that does not begin where the mount is cannot be believed: it may be anywhere in what that shows.
        let is_vague = places.iter().all(Option::is_none);
        let may = |tree: &MountedTree| is_vague && tree.touches(shown.device, &shown.root);
        let all = self.trees.iter().enumerate();
        let inside = all.filter(|(_, tree)| holds(tree) || may(tree));
        match inside.map(|(at, _)| at).collect::<Vec<_>>() {
            none if none.is_empty() => PlaceVerdict::Outside,
            some => PlaceVerdict::Inside(some),
        }
    }

    /// Trees of this device.
    pub fn trees_on(&self, device: BlockDevice) -> Vec<usize> {
        let all = self.trees.iter().enumerate();
        all.filter(|(_, tree)| tree.device == device)
            .map(|(at, _)| at)
            .collect()
    }

    /// Trees of which something is mounted in the namespace; all of them where it was not read.
    pub fn reached_from(&self, namespace: u64) -> Vec<usize> {
        let table = self.namespaces.get(&namespace);
        let shows = |mount: &KnownMount, tree: &MountedTree| match mount {
            KnownMount::Shows(it) => tree.touches(it.device, &it.root),
            KnownMount::Apart => false,
        };
        let reached =
            |tree| table.is_none_or(|table| table.mounts.values().any(|it| shows(it, tree)));
        let all = self.trees.iter().enumerate();
        all.filter(|(_, tree)| reached(tree))
            .map(|(at, _)| at)
            .collect()
    }

    /// The namespaces whose tables have changed since they were read.
    pub fn changed(&self) -> Vec<u64> {
        let all = self.namespaces.iter();
        let closed = all.clone().filter(|(_, table)| table.file.is_none());
        let closed: Vec<u64> = closed.map(|(id, _)| *id).collect();
        let files = all.filter_map(|(id, table)| Some((*id, table.file.as_ref()?)));
        let (ids, files): (Vec<u64>, Vec<&File>) = files.unzip();
        let mut asked: Vec<PollFd<'_>> = files
            .iter()
            .map(|file| PollFd::new(*file, PollFlags::PRI | PollFlags::ERR))
            .collect();
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // What cannot be asked counts as changed.
        let answered = poll(&mut asked, Some(&now)).is_ok();
        let told = PollFlags::PRI | PollFlags::ERR | PollFlags::NVAL;
        let moved = asked
            .iter()
            .map(|one| !answered || one.revents().intersects(told));
        ids.into_iter()
            .zip(moved)
            .filter_map(|(id, moved)| moved.then_some(id))
            .chain(closed)
            .collect()
    }

    /// A second handle to the table of a namespace, at its beginning.
    pub fn again(&self, namespace: u64) -> Option<File> {
        let file = self.namespaces.get(&namespace)?.file.as_ref()?;
        file.try_clone().ok()
    }

    /// Names in a tree that something is mounted on in any namespace, sorted.
    pub fn covered(&self, tree: usize) -> Vec<GuestPath> {
        let all = self.namespaces.values().flat_map(|table| &table.covered);
        let names = all.filter(|(at, _)| *at == tree);
        let mut names: Vec<GuestPath> = names.map(|(_, name)| name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Judges what was read since the last time.
    pub fn judge_exposure(&mut self) {
        let links = &mut self.links;
        let mut layers = LayerJudge::new(&self.own, &self.trees, links);
        let own = self.own_namespace;
        for (id, table) in &mut self.namespaces {
            if table.is_judged {
                continue;
            }
            table.exposed.clear();
            table.overlaid.clear();
            if *id != own {
                expose_mounts(table, &self.own, &self.trees);
            }
            expose_overlays(table, &mut layers, self.trees.len());
            table.is_judged = true;
        }
    }

    /// Why the tree is a layer of an overlay, or may be, and in which namespace that is mounted.
    pub fn overlaid(&self, tree: usize) -> Option<(u64, &String)> {
        let mut all = self.namespaces.iter();
        all.find_map(|(id, table)| Some((*id, table.overlaid.get(&tree)?)))
    }

    /// Why the tree is not mounted only where we have it, and in which namespace.
    pub fn exposed(&self, tree: usize) -> impl Iterator<Item = (u64, &String)> {
        let all = self.namespaces.iter();
        all.filter_map(move |(id, table)| Some((*id, table.exposed.get(&tree)?)))
    }
}

/// Mounts of another namespace that show a tree, or a part of it, where our own path leads elsewhere. A namespace that
/// merely began as a copy of ours (a sandboxed service) shows the same at the same places.
fn expose_mounts(table: &mut NamespaceTable, own: &OwnTable, trees: &[MountedTree]) {
    for mount in table.mounts.values() {
        let KnownMount::Shows(mount) = mount else {
            continue;
        };
        for (at, tree) in trees.iter().enumerate() {
            if table.exposed.contains_key(&at) || !tree.touches(mount.device, &mount.root) {
                continue;
            }
            let (path, place) = match strip(&mount.root, &tree.path) {
                Some(rest) => (beneath(&mount.point, rest), &tree.path),
                None => (mount.point.clone(), &mount.root),
            };
            let ours = own.resolve(&path);
            let is_ours =
                ours.is_some_and(|(known, path)| known.device == mount.device && path == *place);
            if !is_ours {
                let point = Escaped(&mount.point);
                let said =
                    format!("its tree is mounted in another mount namespace, at {point} there");
                table.exposed.insert(at, said);
            }
        }
    }
}

fn expose_overlays(table: &mut NamespaceTable, layers: &mut LayerJudge<'_>, trees: usize) {
    for overlay in &table.overlays {
        for (at, why) in layers.touched(overlay, &table.frame) {
            let point = Escaped(&overlay.point);
            let said =
                || format!("it is, or may be, a layer of the overlay mounted at {point}: {why}");
            table.overlaid.entry(at).or_insert_with(said);
        }
    }
    if table.overlays.len() > MOST_OVERLAYS {
        for at in 0..trees {
            let said = || "a mount namespace has more overlays than are looked at".to_owned();
            table.overlaid.entry(at).or_insert_with(said);
        }
    }
}

/// Reads the table of this process whole.
pub fn own_table(file: &mut File) -> SysResult<OwnTable> {
    let mut own = OwnTable::default();
    each_line(file, |line| own.add(line))?;
    own.finish();
    Ok(own)
}

fn each_line(file: &mut File, mut take: impl FnMut(&MountLine<'_>)) -> SysResult<()> {
    let failed = |e| SysError::new("read", "/proc/PID/mountinfo", e);
    file.rewind().map_err(failed)?;
    let mut text = BufReader::with_capacity(64 << 10, file);
    let mut line = Vec::new();
    while text.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        let whole = line.strip_suffix(b"\n").unwrap_or(&line);
        MountLine::of(whole).iter().for_each(&mut take);
        line.clear();
    }
    Ok(())
}
