//! Guests kept below `tests/data/guests`, and what is right about them: written by hand after the formats.

use super::*;

/// The root of the kept guest of a manager.
pub(super) fn root(manager: &str) -> PathBuf {
    data(manager).join("root")
}

/// The config files that the manager itself would list there, sorted.
pub(super) fn config_files(manager: &str) -> Vec<String> {
    let text = fs::read_to_string(data(manager).join("config.txt")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn data(manager: &str) -> PathBuf {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests");
    guests.join(manager)
}

pub(super) fn read(backend: &dyn PackageDatabase, root: &Path) -> Result<Option<Listing>, Problem> {
    backend.read(&Source::new(&guest_at(root), soon()))
}

/// Paths of the claims.
pub(super) fn claimed(listing: &Listing) -> Vec<String> {
    let claims = listing.claims.iter();
    assert!(claims.clone().is_sorted_by(|a, b| a.path < b.path));
    claims.map(|claim| shown(&claim.path)).collect()
}

/// `PATH PACKAGE VERSION` of every file that has an owner.
pub(super) fn owners(listing: &Listing) -> Vec<String> {
    let line = |owned: &Owned| {
        let package = &listing.packages[owned.package as usize];
        let version = package.version.as_deref().unwrap_or("?");
        format!("{} {} {version}", shown(&owned.path), package.name)
    };
    listing.owned.iter().map(line).collect()
}

fn shown(path: &[u8]) -> String {
    path.escape_ascii().to_string()
}

/// The answer about the kept guest, for its only database.
pub(super) fn ask(manager: &str) -> Answer {
    let answer = ask_all(&guest_at(&root(manager)), OnDamaged::CareRulesOnly, &|_| {
        false
    });
    let managers = answer.databases.iter().map(|d| &*d.manager);
    assert_eq!(managers.collect::<Vec<_>>(), [manager]);
    answer
}

/// No mutation of the samples makes the parser panic, or answer with more than it was given.
pub(super) fn mutated(backend: &dyn PureParser, samples: &[&[u8]]) {
    let (mut good, mut bad) = (0, 0);
    for sample in samples {
        assert!(backend.parse(sample).is_ok_and(|n| n > 0), "no sample");
    }
    mutate::rounds(7, samples, 10_000, |data| match backend.parse(data) {
        Ok(entries) => {
            assert!(entries <= data.len() + 1);
            good += 1;
        }
        Err(fault) => {
            assert!(fault.at <= data.len());
            bad += 1;
        }
    });
    assert!(good > 100 && bad > 100, "{good} good, {bad} bad: no test");
}
