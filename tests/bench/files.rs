//! Walk, hashes and comparison.

use std::path::Path;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use tempfile::TempDir;
use unify::internals::Quiet;
use unify::internals::scan;
use unify::internals::{Dir, Regular, View};
use unify::internals::{fingerprint, sha256};

/// A piece of a small file, a common one, and a large one.
const SIZES: [usize; 3] = [4 << 10, 64 << 10, 1 << 20];

fn scratch() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

/// So many empty files, a hundred in each directory.
fn tree(files: usize) -> TempDir {
    let top = scratch();
    for n in 0..files {
        let dir = top.path().join(format!("usr/share/{}", n / 100));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(format!("file-{n}")), "").unwrap();
    }
    top
}

#[divan::bench(args = [1_000, 20_000], sample_count = 20, sample_size = 1)]
fn walk(bencher: Bencher<'_, '_>, files: usize) {
    let top = tree(files);
    let view = View::of(&Dir::open(top.path()).unwrap()).unwrap();
    bencher.counter(ItemsCount::new(files)).bench(|| {
        let scan = scan(&view, &Quiet).unwrap().unwrap();
        assert_eq!(scan.tree.files(), files);
        scan
    });
}

#[divan::bench(args = SIZES)]
fn hash_fingerprint(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = bytes(size);
    let bencher = bencher.counter(BytesCount::new(size));
    bencher.bench(|| fingerprint(black_box(&bytes)));
}

#[divan::bench(args = SIZES)]
fn hash_sha256(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = bytes(size);
    let bencher = bencher.counter(BytesCount::new(size));
    bencher.bench(|| sha256(black_box(&bytes)));
}

fn open(top: &Path, name: &str) -> Regular {
    let dir = Dir::open(top).unwrap();
    dir.open_regular(name.as_bytes()).unwrap().unwrap()
}

/// Of two equal files, opened already; the bytes are those of one.
#[divan::bench(args = SIZES)]
fn compare(bencher: Bencher<'_, '_>, size: usize) {
    let top = scratch();
    for name in ["a", "b"] {
        std::fs::write(top.path().join(name), bytes(size)).unwrap();
    }
    let (a, b) = (open(top.path(), "a"), open(top.path(), "b"));
    let bencher = bencher.counter(BytesCount::new(size));
    bencher.bench(|| assert!(a.same_content(&b, size as u64).unwrap()));
}

/// Of a file that is opened already.
#[divan::bench(args = SIZES)]
fn read_and_hash(bencher: Bencher<'_, '_>, size: usize) {
    let top = scratch();
    std::fs::write(top.path().join("a"), bytes(size)).unwrap();
    let file = open(top.path(), "a");
    let bencher = bencher.counter(BytesCount::new(size));
    bencher.bench(|| file.digest(size as u64).unwrap());
}
