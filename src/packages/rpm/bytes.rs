//! Numbers at places of a file, read only where the file has them.

/// Takes each header blob of a database with its offset in the file.
pub(super) type Each<'e> =
    &'e mut dyn FnMut(usize, &[u8]) -> Result<(), crate::packages::read::fault::Fault>;

/// `count` bytes at `at`.
pub(super) fn slice(data: &[u8], at: usize, count: usize) -> Option<&[u8]> {
    data.get(at..at.checked_add(count)?)
}

fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    slice(data, at, N)?.try_into().ok()
}

pub(super) fn be16(data: &[u8], at: usize) -> Option<usize> {
    array(data, at).map(|bytes| usize::from(u16::from_be_bytes(bytes)))
}

pub(super) fn be32(data: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(array(data, at)?)).ok()
}

pub(super) fn le32(data: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(array(data, at)?)).ok()
}

pub(super) fn le16(data: &[u8], at: usize) -> Option<usize> {
    array(data, at).map(|bytes| usize::from(u16::from_le_bytes(bytes)))
}

/// Bytes that a file may still hand out. Every byte of an intact database belongs to one header, so all headers
/// together are never longer than the file; a file whose headers share their bytes could keep a reader busy for
/// ever.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Budget {
    /// For a file of so many bytes.
    pub(super) fn of(length: usize) -> Self {
        Budget(length)
    }

    /// Takes `count` bytes off; `None` if there are no more.
    pub(super) fn spend(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.checked_sub(count)?;
        Some(())
    }
}
