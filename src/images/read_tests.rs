use super::*;
use crate::sys::effort::computed;
use std::path::Path;

#[allow(
    clippy::duplicate_mod,
    reason = "rooms of one floor do not know each other, and both have parsers to feed"
)]
#[path = "../packages/tests/mutate.rs"]
mod mutate;

/// What fuzzing begins with is read, and what is left of it when it is cut is not.
#[test]
fn the_corpus_is_read_and_no_part_of_it() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/image");
    let mut read = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(read_bytes(&bytes).is_ok());
        for cut in (1..bytes.len()).step_by(97) {
            assert!(read_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        read += 1;
    }
    assert!(read >= 3);
    assert!(read_bytes(b"").is_err());
}

/// Each mutation of an archive ends in an answer or a refusal, and soon: ten million bytes of them by night.
#[test]
fn mutated_archives_end_soon() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/image");
    let plain = |path: std::path::PathBuf| {
        let packed = std::fs::read(path).unwrap();
        let (_, mut stream) = unpacked(&*packed).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        [packed.clone(), bytes]
    };
    let files = std::fs::read_dir(corpus).unwrap();
    let samples: Vec<Vec<u8>> = files.flat_map(|file| plain(file.unwrap().path())).collect();
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let is_long = std::env::var_os("UNIFY_LONG").is_some_and(|value| value == "1");
    let wanted = if is_long { 10_000_000 } else { 1_000_000 };
    let (mut bytes, mut read, mut refused, mut seed) = (0, 0, 0, 1);
    while bytes < wanted {
        mutate::rounds(seed, &samples, 100, |data| {
            let begun = computed();
            match read_bytes(data) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
            bytes += data.len();
            assert!(
                (computed() - begun).as_secs() < 20,
                "seed {seed}: {} bytes",
                data.len()
            );
        });
        seed += 1;
    }
    assert!(read > 0 && refused > read, "{read} read, {refused} refused");
}
