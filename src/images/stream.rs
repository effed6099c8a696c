//! What a stream is packed by, and the stream as it was before. Known by the first bytes, never by a file's name.
//!
//! An archive may be a bomb, so nothing is sized by what a header promises: windows and dictionaries are bounded here,
//! and lengths by `bounds`.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use zstd::stream::read::Decoder;

/// How a stream is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    /// RFC 1952, also several members.
    Gzip,
    /// RFC 8878, also several frames and skippable ones.
    Zstd,
    /// The .xz file format, also several streams.
    Xz,
}

/// Largest window of zstd, as a power of two: 128 MiB, what the `zstd` tool itself accepts without `--long`.
const WINDOW_LOG: u32 = 27;

/// Memory for xz, in bytes: `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;

const BUFFER: usize = 256 * 1024;

/// So many bytes tell.
const MARK: usize = 6;

impl Packing {
    /// By the first bytes.
    pub fn of(head: &[u8]) -> Packing {
        match head {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            // A skippable frame, which `zstd:chunked` and `pzstd` begin with.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Packing::Xz,
            _ => Packing::Plain,
        }
    }
}

/// The stream as it was before it was packed, and how it is packed.
pub fn unpacked<'r>(mut input: impl Read + 'r) -> io::Result<(Packing, Box<dyn Read + 'r>)> {
    let mut head = Vec::with_capacity(MARK);
    (&mut input).take(MARK as u64).read_to_end(&mut head)?;
    let packing = Packing::of(&head);
    let whole = Cursor::new(head).chain(input);
    let buffered = BufReader::with_capacity(BUFFER, whole);
    Ok((packing, decoder(packing, buffered)?))
}

fn decoder<'r>(packing: Packing, input: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
    Ok(match packing {
        Packing::Plain => Box::new(input),
        Packing::Gzip => Box::new(NamedDecoder(packing, MultiGzDecoder::new(input))),
        Packing::Zstd => {
            let mut decoder = Decoder::with_buffer(input)?;
            decoder.window_log_max(WINDOW_LOG)?;
            Box::new(NamedDecoder(packing, decoder))
        }
        Packing::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED)?;
            Box::new(NamedDecoder(packing, XzDecoder::new_stream(input, stream)))
        }
    })
}

/// A decoder whose errors say what it is.
struct NamedDecoder<R>(Packing, R);

impl<R: Read> Read for NamedDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.read(buffer).map_err(|error| told(self.0, &error))
    }
}

fn told(packing: Packing, error: &io::Error) -> io::Error {
    let name = match packing {
        Packing::Plain => return io::Error::new(error.kind(), error.to_string()),
        Packing::Gzip => "gzip",
        Packing::Zstd => "zstd",
        Packing::Xz => "xz",
    };
    if matches!(error.kind(), io::ErrorKind::Interrupted) {
        return io::ErrorKind::Interrupted.into();
    }
    let text = error.to_string();
    if error.kind() == io::ErrorKind::UnexpectedEof || text.contains("incomplete frame") {
        return io::ErrorKind::UnexpectedEof.into();
    }
    let hint = match text.contains("too much memory") || text.contains("memory limit") {
        true => {
            "; what needs more than 128 MiB of window (zstd) or 256 MiB of memory (xz) is to be unpacked first: zstd -dc --long=31 IMAGE | unify plan NAME=-"
        }
        false => "",
    };
    io::Error::new(
        error.kind(),
        format!("what {name} has packed cannot be unpacked: {text}{hint}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const TEXT: &[u8] = b"some text, some text, some text";

    fn packed() -> [(Packing, Vec<u8>); 4] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        gzip.write_all(TEXT).unwrap();
        let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        zstd.include_checksum(true).unwrap();
        zstd.write_all(TEXT).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(TEXT).unwrap();
        [
            (Packing::Plain, TEXT.to_vec()),
            (Packing::Gzip, gzip.finish().unwrap()),
            (Packing::Zstd, zstd.finish().unwrap()),
            (Packing::Xz, xz.finish().unwrap()),
        ]
    }

    fn unpack(bytes: &[u8]) -> io::Result<(Packing, Vec<u8>)> {
        let (packing, mut input) = unpacked(bytes)?;
        let mut text = Vec::new();
        input.read_to_end(&mut text)?;
        Ok((packing, text))
    }

    #[test]
    fn every_packing_is_known_also_twice() {
        for (packing, bytes) in packed() {
            assert_eq!(unpack(&bytes).unwrap(), (packing, TEXT.to_vec()));
            let twice = unpack(&[&bytes[..], &bytes].concat()).unwrap().1;
            assert_eq!(twice, [TEXT, TEXT].concat(), "{packing:?}");
        }
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9][..], &packed()[2].1].concat();
        assert_eq!(unpack(&skippable).unwrap().1, TEXT);
        assert_eq!(unpack(b"").unwrap(), (Packing::Plain, Vec::new()));
    }

    #[test]
    fn what_is_cut_or_damaged_is_an_error() {
        for (packing, bytes) in packed().into_iter().skip(1) {
            for cut in MARK..bytes.len() {
                assert!(unpack(&bytes[..cut]).is_err(), "{packing:?} cut at {cut}");
            }
            let mut damaged = bytes.clone();
            damaged[bytes.len() / 2] ^= 0x55;
            assert!(unpack(&damaged).is_err(), "{packing:?}");
        }
    }

    #[test]
    fn windows_are_bounded() {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (28 - 10) << 3, 0x01, 0, 0];
        let said = unpack(&frame).unwrap_err().to_string();
        assert!(said.contains("--long=31"), "{said}");
    }
}
