//! Compressed papers: zstd, recognised by its magic number and not by a file's name.
//!
//! A compressed plan may be a bomb, so nothing is sized by what its header promises: the window is bounded, and a
//! reader sees a stream.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read, Write};

use zstd::stream::{read::Decoder, write::Encoder};

/// The first bytes of a zstd frame (RFC 8878, section 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Largest window, as a power of two: 128 MiB, what the `zstd` tool itself accepts without `--long`.
const WINDOW_LOG: u32 = 27;

/// Level of what we write: the tool's default.
const LEVEL: i32 = 3;

/// The input with its first bytes put back.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// A paper as it was before it was compressed, if it was.
pub enum PaperReader<R: BufRead> {
    /// Not compressed.
    Plain(Whole<R>),
    /// Compressed: one or more zstd frames.
    Zstd(BufReader<Decoder<'static, Whole<R>>>),
}

impl<R: BufRead> PaperReader<R> {
    /// Looks at the first four bytes. Waits for them if `input` is a pipe.
    pub fn new(mut input: R) -> io::Result<Self> {
        let mut start = Vec::with_capacity(MAGIC.len());
        input
            .by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut start)?;
        let compressed = start == MAGIC;
        let whole = Cursor::new(start).chain(input);
        if !compressed {
            return Ok(PaperReader::Plain(whole));
        }
        let mut decoder = Decoder::with_buffer(whole)?;
        decoder.window_log_max(WINDOW_LOG)?;
        Ok(PaperReader::Zstd(BufReader::new(decoder)))
    }
}

impl<R: BufRead> Read for PaperReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            PaperReader::Plain(r) => r.read(buffer),
            PaperReader::Zstd(r) => r.read(buffer),
        }
    }
}

impl<R: BufRead> BufRead for PaperReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            PaperReader::Plain(r) => r.fill_buf(),
            PaperReader::Zstd(r) => r.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self {
            PaperReader::Plain(r) => r.consume(amount),
            PaperReader::Zstd(r) => r.consume(amount),
        }
    }
}

/// Writes a paper, compressed or not. A compressed one is whole only after [`PaperWriter::finish`].
pub enum PaperWriter<W: Write> {
    /// As it comes.
    Plain(W),
    /// One zstd frame with a checksum.
    Zstd(Encoder<'static, W>),
}

impl<W: Write> PaperWriter<W> {
    /// Compresses if `compressed`: the caller knows the file's name.
    pub fn new(output: W, compressed: bool) -> io::Result<Self> {
        if !compressed {
            return Ok(PaperWriter::Plain(output));
        }
        let mut encoder = Encoder::new(output, LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(PaperWriter::Zstd(encoder))
    }

    /// Writes what is held back and gives the output back, flushed. Does not sync.
    pub fn finish(self) -> io::Result<W> {
        let mut output = match self {
            PaperWriter::Plain(w) => w,
            PaperWriter::Zstd(w) => w.finish()?,
        };
        output.flush()?;
        Ok(output)
    }
}

impl<W: Write> Write for PaperWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            PaperWriter::Plain(w) => w.write(bytes),
            PaperWriter::Zstd(w) => w.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            PaperWriter::Plain(w) => w.flush(),
            PaperWriter::Zstd(w) => w.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(text: &[u8], compressed: bool) -> Vec<u8> {
        let mut writer = PaperWriter::new(Vec::new(), compressed).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        PaperReader::new(bytes)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn both_forms_round_trip() {
        for text in [&b"{}"[..], b"", b"abc", &[b'x'; 300_000]] {
            assert_eq!(unpack(&pack(text, false)).unwrap(), text);
            assert_eq!(unpack(&pack(text, true)).unwrap(), text);
        }
        assert!(pack(&[b'x'; 300_000], true).len() < 1000);
    }

    #[test]
    fn a_cut_or_damaged_frame_is_an_error() {
        let mut packed = pack(b"some text that is compressed", true);
        for cut in 4..packed.len() {
            assert!(unpack(&packed[..cut]).is_err(), "cut at {cut}");
        }
        let last = packed.len() - 1;
        packed[last] ^= 1;
        assert!(unpack(&packed).is_err(), "checksum");
    }

    #[test]
    fn a_window_that_is_too_large_is_refused() {
        // Magic; a frame header with a window descriptor of 2^28 bytes; an empty last block.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (28 - 10) << 3, 0x01, 0, 0];
        assert!(unpack(&frame).is_err());
        let smaller = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0, 0];
        assert_eq!(unpack(&smaller).unwrap(), b"");
    }
}
