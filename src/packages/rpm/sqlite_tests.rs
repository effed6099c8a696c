use super::*;

const PAGE: usize = 512;

fn put(page: &mut [u8], at: usize, bytes: &[u8]) {
    page[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A leaf with these cells, some maybe pointed to several times; `base` is 100 on page 1.
fn leaf(base: usize, cells: &[(&[u8], usize)]) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let (mut end, mut count) = (PAGE, 0);
    for (cell, times) in cells {
        end -= cell.len();
        put(&mut page, end, cell);
        for _ in 0..*times {
            put(&mut page, base + 8 + 2 * count, &(end as u16).to_be_bytes());
            count += 1;
        }
    }
    page[base] = LEAF;
    put(&mut page, base + 3, &(count as u16).to_be_bytes());
    page
}

fn interior(children: &[u32]) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    page[0] = INTERIOR;
    let (right, left) = children.split_last().unwrap();
    put(&mut page, 8, &right.to_be_bytes());
    put(&mut page, 3, &(left.len() as u16).to_be_bytes());
    for (n, child) in left.iter().enumerate() {
        let at = PAGE - 5 * (n + 1);
        put(&mut page, at, &child.to_be_bytes());
        put(&mut page, 12 + 2 * n, &(at as u16).to_be_bytes());
    }
    page
}

/// A file whose table has its root on page 2.
fn file(name: &[u8], pages: &[Vec<u8>]) -> Vec<u8> {
    let text = |text: &[u8]| 13 + 2 * text.len() as u8;
    let kinds = [6, text(b"table"), text(name), text(name), 1, 0];
    let record = [&kinds[..], b"table", name, name, &[2]].concat();
    let cell = [&[record.len() as u8, 1], &record[..]].concat();
    let mut first = leaf(100, &[(&cell, 1)]);
    put(&mut first, 0, MAGIC);
    put(&mut first, 16, &[2, 0, 1, 1, 0, 64, 32, 32]);
    [vec![first], pages.to_vec()].concat().concat()
}

/// A cell of one row: NULL and a short blob.
fn row(blob: u8) -> [u8; 6] {
    [4, 1, 3, 0, 14, blob]
}

/// A cell of one row whose payload goes on on page 3.
fn long_row(blob: usize) -> Vec<u8> {
    let kind = 12 + 2 * blob;
    let kind = [0x80 | (kind >> 7) as u8, kind as u8 & 0x7f];
    let length = 4 + blob;
    let head = [0x80 | (length >> 7) as u8, length as u8 & 0x7f, 1, 4, 0];
    let least = (PAGE - 12) * 32 / 255 - 23;
    let local = least + (length - least) % (PAGE - 4);
    let local = if local <= PAGE - 35 { local } else { least };
    let rest = vec![b'x'; local - 4];
    [&head[..], &kind, &rest, &[0, 0, 0, 3]].concat()
}

fn read(data: &[u8]) -> Result<Vec<Vec<u8>>, Defect> {
    let mut all = Vec::new();
    let read = blobs(data, None, &mut |_, blob| {
        all.push(blob.to_vec());
        Ok(())
    });
    read.map(|()| all).map_err(|fault| fault.what)
}

#[test]
fn rows_come_in_order_over_pages() {
    let pages = [
        interior(&[3, 4]),
        leaf(0, &[(&row(b'a'), 1), (&row(b'b'), 1)]),
        leaf(0, &[(&row(b'c'), 1)]),
    ];
    assert_eq!(read(&file(TABLE, &pages)).unwrap(), [b"a", b"b", b"c"]);
    let long = [leaf(0, &[(&long_row(700), 1)]), vec![b'x'; PAGE]];
    assert_eq!(read(&file(TABLE, &long)).unwrap(), [[b'x'; 700]]);
}

#[test]
fn trees_that_share_or_loop_are_refused() {
    let one = leaf(0, &[(&row(b'a'), 1)]);
    for (what, pages) in [
        ("a page twice", vec![interior(&[3, 3]), one.clone()]),
        ("itself", vec![interior(&[2])]),
        ("a page beyond", vec![interior(&[9])]),
        ("page 0", vec![interior(&[0])]),
        (
            "a page of another kind",
            vec![interior(&[3]), vec![7; PAGE]],
        ),
    ] {
        assert!(read(&file(TABLE, &pages)).is_err(), "{what}");
    }
    let deep = |levels: u32| {
        let mut pages: Vec<_> = (0..levels).map(|n| interior(&[n + 3])).collect();
        pages.push(one.clone());
        read(&file(TABLE, &pages))
    };
    assert!(deep(20).is_ok());
    assert_eq!(deep(21), Err(Defect::Broken("tree that loops")));
}

/// Forty rows of one page and one overflow page: small to write, endless to read if there were millions.
#[test]
fn rows_that_share_their_bytes_are_refused() {
    let pages = [leaf(0, &[(&long_row(700), 40)]), vec![b'x'; PAGE]];
    assert!(read(&file(TABLE, &pages)).is_err());
}

#[test]
fn files_of_another_kind_are_refused() {
    let pages = [leaf(0, &[(&row(b'a'), 1)])];
    assert_eq!(
        read(&file(b"Others", &pages)),
        Err(Defect::Broken("no table Packages"))
    );
    for (what, at, byte) in [
        ("version 3", 19, 3),
        ("fractions", 21, 65),
        ("page size", 17, 1),
        ("reserved", 20, 33),
        ("magic", 0, b's'),
    ] {
        let mut data = file(TABLE, &pages);
        data[at] = byte;
        assert!(read(&data).is_err(), "{what}");
    }
    assert!(read(&file(TABLE, &pages)[..PAGE * 2 - 1]).is_err(), "cut");
}
