//! Grammars that several package managers share: lines, stanzas, records, names, globs. Each is total: any byte
//! may come.

pub(super) mod catalog;
pub(super) mod deb822;
pub(super) mod globs;
pub(super) mod lines;
pub(super) mod name;
pub(super) mod record;
