//! As much of SQLite's file format as the table `Packages` needs, with the pages of a log before those of the main
//! file. Pure.
//!
//! ```text
//! file: "SQLite format 3\0"; u16@16 page size (1 = 65536); u8@19 version 1|2; u8@20 reserved bytes a page; 64, 32, 32
//! page: at 0 (at 100 on page 1) u8 kind 5 interior|13 leaf; u16@3 cells; kind 5: u32@8 right child; then u16 pointers
//! interior cell: u32 child, varint key        leaf cell: varint size P, varint rowid, payload, u32 overflow page
//! local part: U = page - reserved; X = U-35; M = (U-12)*32/255 - 23; P <= X: all;
//!             else K = M + (P-M)%(U-4), K <= X ? K : M
//! overflow page: u32 next, then U-4 bytes     record: varint header size, varint types, values
//! ```
//!
//! Each page of a tree is visited once, to a depth of 20; a chain of overflow pages ends with its payload, and all
//! payloads together are no longer than the file.

use std::cell::RefCell;
use std::collections::HashSet;

use super::bytes::Each;
use super::bytes::{Budget, be16, be32, slice};
use super::wal::Log;
use crate::packages::read::fault::{Defect, Fault};
use crate::packages::read::limits;

/// The first bytes of the file.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
const DEEPEST: usize = 20;
const TABLE: &[u8] = b"Packages";

/// Hands out the second column of every row of `Packages`.
pub(super) fn blobs(main: &[u8], log: Option<&[u8]>, each: Each<'_>) -> Result<(), Fault> {
    let file = SqliteFile::open(main, log).map_err(|what| what.at(0))?;
    let mut root = None;
    file.rows(1, &mut |_, record| {
        let columns = columns(&record).ok_or(Defect::Broken("row of the schema cut off"))?;
        let text = |at: usize| columns.get(at).copied().flatten();
        if text(0) == Some(b"table") && text(1) == Some(TABLE) {
            root = text(3).and_then(number);
        }
        Ok(())
    })?;
    let root = root.ok_or(Defect::Broken("no table Packages").at(0))?;
    let page_size = file.page_size;
    file.rows(root, &mut |page, record| {
        let columns = columns(&record).ok_or(Defect::Broken("row of Packages cut off"))?;
        let blob = columns.get(1).copied().flatten();
        let blob = blob.ok_or(Defect::Broken("row of Packages without a header"))?;
        each(page * page_size, blob).map_err(|fault| fault.what)
    })
}

struct SqliteFile<'a> {
    main: &'a [u8],
    log: Log<'a>,
    page_size: usize,
    /// Bytes of a page that are used.
    usable: usize,
    pages: usize,
    budget: RefCell<Budget>,
}

type EachRow<'e> = &'e mut dyn FnMut(usize, Vec<u8>) -> Result<(), Defect>;

impl<'a> SqliteFile<'a> {
    fn open(main: &'a [u8], log: Option<&'a [u8]>) -> Result<SqliteFile<'a>, Defect> {
        let head = slice(main, 0, 100).filter(|head| head.starts_with(MAGIC));
        let head = head.ok_or(Defect::Broken("not a SQLite database"))?;
        let page_size = match be16(head, 16) {
            Some(1) => 65_536,
            Some(size) if size >= 512 && size.is_power_of_two() => size,
            _ => return Err(Defect::Broken("impossible page size")),
        };
        let reserved = usize::from(head.get(20).copied().unwrap_or(0));
        let usable = page_size - reserved;
        if !matches!(head.get(19), Some(1 | 2)) || slice(head, 21, 3) != Some(&[64, 32, 32]) {
            return Err(Defect::Broken("unknown version of SQLite's format"));
        }
        if usable < 480 {
            return Err(Defect::Broken("pages without room"));
        }
        let log = log.unwrap_or_default();
        let bytes = main.len() + log.len();
        let log = Log::read(log, page_size)?;
        let written = main.len().div_ceil(page_size);
        let pages = log.size.or(own_count(head)).unwrap_or(written);
        let file = SqliteFile {
            main,
            log,
            page_size,
            usable,
            pages,
            budget: RefCell::new(Budget::of(bytes)),
        };
        if file.page(pages).is_none() {
            return Err(Defect::Broken("cut off: fewer pages than it says"));
        }
        Ok(file)
    }

    /// Pages count from 1.
    fn page(&self, number: usize) -> Option<&'a [u8]> {
        if number == 0 || number > self.pages {
            return None;
        }
        let at = (number - 1).checked_mul(self.page_size)?;
        self.log
            .page(number)
            .or_else(|| slice(self.main, at, self.page_size))
    }

    /// Every row of the table whose tree begins at `root`, with the page that it is on.
    fn rows(&self, root: usize, each: EachRow<'_>) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        let mut todo = vec![(root, 0)];
        while let Some((number, depth)) = todo.pop() {
            let bad = |what| Defect::Broken(what).at(number.saturating_sub(1) * self.page_size);
            let page = self.page(number).ok_or(bad("page outside of the file"))?;
            if !seen.insert(number) || depth > DEEPEST {
                return Err(bad("tree that loops"));
            }
            let base = if number == 1 { 100 } else { 0 };
            let tree = TreePage { page, base };
            let damaged = || bad("broken page of a tree");
            match page.get(base) {
                Some(&INTERIOR) => {
                    let children = tree.children().ok_or_else(damaged)?;
                    todo.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
                }
                Some(&LEAF) => {
                    for cell in tree.cells(8).ok_or_else(damaged)? {
                        let record = self.record(page, cell).ok_or_else(damaged)?;
                        let at = number.saturating_sub(1);
                        each(at, record).map_err(|what| what.at(at * self.page_size))?;
                    }
                }
                _ => return Err(damaged()),
            }
        }
        Ok(())
    }

    /// A row's payload, put together from its pages.
    fn record(&self, page: &[u8], cell: usize) -> Option<Vec<u8>> {
        let (length, at) = varint(page, cell)?;
        let (_, at) = varint(page, at)?;
        if length > limits::HEADER {
            return None;
        }
        self.budget.borrow_mut().spend(length)?;
        let local = self.local(length);
        let mut whole = slice(page, at, local)?.to_vec();
        let mut next = be32(page, at + local).unwrap_or(0);
        while whole.len() < length {
            let page = self.page(next)?;
            let left = (length - whole.len()).min(self.usable - 4);
            whole.extend_from_slice(slice(page, 4, left)?);
            next = be32(page, 0)?;
        }
        Some(whole)
    }

    /// How many bytes of a payload are on its own page.
    fn local(&self, length: usize) -> usize {
        let (most, least) = (self.usable - 35, (self.usable - 12) * 32 / 255 - 23);
        if length <= most {
            return length;
        }
        let kept = least + (length - least) % (self.usable - 4);
        if kept <= most { kept } else { least }
    }
}

/// The pages of the file as its head says; that counts only if the same change wrote both, see "In-header
/// database size".
fn own_count(head: &[u8]) -> Option<usize> {
    let same = be32(head, 24) == be32(head, 92);
    be32(head, 28).filter(|pages| same && *pages > 0)
}

/// One page of a tree; `base` is where its header begins.
struct TreePage<'p> {
    page: &'p [u8],
    base: usize,
}

impl TreePage<'_> {
    /// Where the cells are; `head` is the length of the header.
    fn cells(&self, head: usize) -> Option<Vec<usize>> {
        let count = be16(self.page, self.base + 3)?;
        let pointers = slice(self.page, self.base + head, 2 * count)?;
        (0..count).map(|cell| be16(pointers, 2 * cell)).collect()
    }

    fn children(&self) -> Option<Vec<usize>> {
        let cells = self.cells(12)?;
        let child = |cell: usize| be32(self.page, cell);
        let mut all: Vec<usize> = cells.into_iter().map(child).collect::<Option<_>>()?;
        all.push(be32(self.page, self.base + 8)?);
        Some(all)
    }
}

/// SQLite's number of one to nine bytes, and where it ends.
fn varint(data: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut value: u64 = 0;
    for n in 0..9 {
        let byte = *data.get(at.checked_add(n)?)?;
        if n == 8 {
            value = value << 8 | u64::from(byte);
        } else {
            value = value << 7 | u64::from(byte & 0x7f);
        }
        if byte < 0x80 || n == 8 {
            return Some((usize::try_from(value).ok()?, at + n + 1));
        }
    }
    None
}

/// The bytes of every column; `None` for NULL and the numbers 0 and 1, which have none.
fn columns(record: &[u8]) -> Option<Vec<Option<&[u8]>>> {
    let (head, mut at) = varint(record, 0)?;
    let mut value = head;
    let mut all = Vec::new();
    while at < head {
        let (kind, next) = varint(record, at)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => {
                all.push(None);
                continue;
            }
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            kind if kind >= 12 => (kind - 12) / 2,
            _ => return None,
        };
        all.push(Some(slice(record, value, length)?));
        value += length;
    }
    Some(all)
}

/// A whole number of a column.
fn number(bytes: &[u8]) -> Option<usize> {
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    Some(
        bytes
            .iter()
            .fold(0, |value, byte| value << 8 | usize::from(*byte)),
    )
}

#[cfg(test)]
#[path = "sqlite_tests.rs"]
mod tests;
