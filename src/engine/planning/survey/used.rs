//! What is done with a file of the guest now.

use super::Survey;
use crate::model::{FileState, FileUse, SkipReason};
use crate::rules::care_uses::UseRules;

/// What is done with one file.
pub struct UsesOfFile {
    /// Each use once, and whose it is.
    pub all: Vec<(FileUse, String)>,
    /// Does a package own its first name? The line of the plan says so, and `apply` goes by that.
    pub is_owned: bool,
}

impl UsesOfFile {
    /// The codes by which it may be shared although it is used so, and by whom.
    pub fn let_in<'u>(
        &'u self,
        rules: &'u UseRules,
    ) -> impl Iterator<Item = (SkipReason, &'u str)> {
        let all = self.all.iter();
        all.filter_map(|(used, who)| Some((rules.lets_in(*used, self.is_owned)?, who.as_str())))
    }
}

impl Survey {
    /// The uses of a file with these names; nothing where there is none, as of nearly all.
    pub fn uses_of(&self, names: &[usize], state: &FileState) -> Option<UsesOfFile> {
        let (uses, tree) = (&self.condition.uses, &self.scan.tree);
        let of_inode = uses.of_inode(state.id.ino);
        let mut all: Vec<_> = of_inode.map(|(used, who)| (used, who.to_owned())).collect();
        if uses.is_any_mounted() {
            let paths = names.iter().map(|&name| tree.guest_path(name));
            let mounted = paths.filter_map(|path| uses.mounted(&path).map(str::to_owned));
            all.extend(mounted.map(|at| (FileUse::Mounted, at)));
        }
        let owner = |name: &usize| self.owner(&tree.path(*name));
        (!all.is_empty()).then(|| UsesOfFile {
            is_owned: names.first().and_then(owner).is_some(),
            all,
        })
    }
}
