//! The defences, how each is taken out of a copy of the source, and which test misses it.
//!
//! A text that does not stand exactly once in its file fails the test: whoever changes a defence changes its row.

/// A defence that is taken out.
pub struct Defence {
    /// What `UNIFY_WEAK` is set to.
    pub name: &'static str,
    /// The test that fails without it.
    pub missed_by: &'static str,
    /// What is written instead, and where.
    pub edits: &'static [Edit],
}

/// One change of the source: file, text, and what stands in its place. `WEAK` in it is true while the
/// defence is switched off.
pub type Edit = (&'static str, &'static str, &'static str);

/// All of them.
pub const DEFENCES: &[Defence] = &[
    Defence {
        name: "PlainRename",
        missed_by: "live_guests::races::a_file_replaced_at_the_last_moment_is_the_guests",
        edits: &[(
            "src/link/exchange.rs",
            r#"    if out == names.expected {
        return Ok(Exchanged::Done);
    }
    for _"#,
            r#"    if out == names.expected || WEAK {
        return Ok(Exchanged::Done);
    }
    for _"#,
        )],
    },
    Defence {
        name: "NoLease",
        missed_by: "refusing::changed_files::a_writer_is_refused",
        edits: &[
            (
                "src/sys/guest/lease.rs",
                r#"        match call("lease", || ffi::set_lease(file.fd(), LeaseKind::Read))
            .map_err(|e| SysError::new("lease", file.path(), e))
        {
            Ok(()) => Ok(Ok(Leased { file }))"#,
                r#"        if WEAK { return Ok(Ok(Leased { file })); }
        match call("lease", || ffi::set_lease(file.fd(), LeaseKind::Read))
            .map_err(|e| SysError::new("lease", file.path(), e))
        {
            Ok(()) => Ok(Ok(Leased { file }))"#,
            ),
            (
                "src/sys/guest/lease.rs",
                r#"        call("getlease", ||"#,
                r#"        if WEAK { return Ok(true); }
        call("getlease", ||"#,
            ),
        ],
    },
    Defence {
        name: "LeaseReleasedEarly",
        missed_by: "live_guests::races::a_waiting_writer_writes_where_the_name_is",
        edits: &[(
            "src/engine/exchange/names.rs",
            r#"        self.fate = fate;
        // Where nothing is in staging"#,
            r#"        self.fate = fate;
        if WEAK { job.old.give_back(); }
        // Where nothing is in staging"#,
        )],
    },
    Defence {
        name: "NoLastLook",
        missed_by: "live_guests::races::a_mode_changed_at_the_last_moment_is_kept",
        edits: &[
            (
                "src/engine/exchange/names.rs",
                r#"        if self.fate != Fate::Done {
            return Ok(());
        }
        let now = now?;"#,
                r#"        if self.fate != Fate::Done || WEAK {
            return Ok(());
        }
        let now = now?;"#,
            ),
            (
                "src/engine/exchange/names.rs",
                r#"pub(super) fn still_the_same(job: &Job) -> Result<(), Fate> {
"#,
                r#"pub(super) fn still_the_same(job: &Job) -> Result<(), Fate> {
    if WEAK { return Ok(()); }
"#,
            ),
        ],
    },
    Defence {
        name: "NoMountCheck",
        missed_by: "live_guests::occupied_guests::a_name_that_is_a_mount_point",
        edits: &[
            (
                "src/engine/activity/mod.rs",
                r#"        self.covered.iter().any(|mount| path.is_within(mount))
"#,
                r#"        self.covered.iter().any(|mount| path.is_within(mount)) && !WEAK
"#,
            ),
            (
                "src/engine/activity/freeze/look.rs",
                r#"        let at = guests.len();
        let covered ="#,
                r#"        if WEAK { return Ok(Vec::new()); }
        let at = guests.len();
        let covered ="#,
            ),
        ],
    },
    Defence {
        name: "AdoptAlways",
        missed_by: "live_guests::frozen_guests::objects_of_running_guests_are_copies",
        edits: &[(
            "src/engine/applying/prepare.rs",
            r#"        Some(Making::Adopt) if world.may_adopt && quiet => Making::Adopt,
"#,
            r#"        Some(Making::Adopt) if world.may_adopt && quiet => Making::Adopt,
        _ if WEAK => Making::Adopt,
"#,
        )],
    },
    Defence {
        name: "SizeOnlyCompare",
        missed_by: "refusing::edited_plans::another_object_of_the_same_size_is_refused",
        edits: &[(
            "src/sys/guest/content.rs",
            r#"        let mut at = 0;
        while at < size {
            let length = piece_length(at, size, PIECE);
            self.fill(&mut mine"#,
            r#"        let mut at = if WEAK { size } else { 0 };
        while at < size {
            let length = piece_length(at, size, PIECE);
            self.fill(&mut mine"#,
        )],
    },
    Defence {
        name: "ShortDigest",
        missed_by: "reading::file_systems::on_ext4",
        edits: &[(
            "src/sys/guest/content.rs",
            r#"        Ok(hasher.finish())
"#,
            r#"        let mut digest = hasher.finish();
        if WEAK { digest.0[1..].fill(0); }
        Ok(digest)
"#,
        )],
    },
    Defence {
        name: "DropBeforeSync",
        missed_by: "live_guests::races::nothing_is_dropped_before_it_is_durable",
        edits: &[(
            "src/engine/exchange/mod.rs",
            r#"        self.base.dir().sync_filesystem()?;
        notice_writers("#,
            r#"        if !WEAK { self.base.dir().sync_filesystem()?; }
        notice_writers("#,
        )],
    },
    Defence {
        name: "JournalWithoutSync",
        missed_by: "live_guests::races::nothing_is_dropped_before_it_is_durable",
        edits: &[(
            "src/engine/exchange/journal.rs",
            r#"        self.write(records)?;
        self.file.borrow().sync()
"#,
            r#"        self.write(records)?;
        if WEAK { return Ok(()); }
        self.file.borrow().sync()
"#,
        )],
    },
    Defence {
        name: "BlockingOpen",
        missed_by: "live_guests::races::leases_of_a_guest_keep_nobody_waiting",
        edits: &[(
            "src/sys/guest/dir.rs",
            r#"fn read() -> OFlags {
    READ.union(OFlags::NONBLOCK)
}"#,
            r#"fn read() -> OFlags {
    if WEAK { return READ.difference(OFlags::NONBLOCK); }
    READ.union(OFlags::NONBLOCK)
}"#,
        )],
    },
    Defence {
        name: "PathInsteadOfDescriptor",
        missed_by: "refusing::changed_files::what_changed_is_refused_and_the_rest_is_applied",
        edits: &[(
            "src/sys/guest/dir.rs",
            r#"    fn beneath(&self, relative: &[u8], flags: OFlags) -> SysResult<OwnedFd> {
"#,
            r#"    fn beneath(&self, relative: &[u8], flags: OFlags) -> SysResult<OwnedFd> {
        if WEAK {
            let follow = flags.difference(OFlags::NOFOLLOW);
            return openat(&self.fd, relative, follow, Mode::empty())
                .map_err(|e| self.failed("open", relative, e));
        }
"#,
        )],
    },
    Defence {
        name: "NoCtime",
        missed_by: "live_guests::races::a_file_rewritten_with_the_same_bytes_is_refused",
        edits: &[(
            "src/engine/applying/prepare.rs",
            r#"    let mut fields = moved(before, state);
"#,
            r#"    let mut fields = moved(before, state);
    fields.retain(|field| *field != Moved::Ctime || !WEAK);
"#,
        )],
    },
    Defence {
        name: "ThawWhileRunning",
        missed_by: "live_guests::occupied_guests::a_running_holder_keeps_its_objects_closed",
        edits: &[(
            "src/engine/activity/mod.rs",
            r#"            running: known.or_else(unsure),
"#,
            r#"            running: known.or_else(unsure).filter(|_| !WEAK),
"#,
        )],
    },
    Defence {
        name: "NoProofUnderFlag",
        missed_by: "live_guests::unseen_writers::while_a_guest_joins",
        edits: &[(
            "src/engine/exchange/shared_inode.rs",
            r#"        Ok((now, flaw))
"#,
            r#"        Ok((now, flaw.filter(|_| !WEAK)))
"#,
        )],
    },
    Defence {
        name: "NoProofOfContent",
        missed_by: "live_guests::unseen_writers::bytes_that_no_lease_could_keep",
        edits: &[(
            "src/engine/proof.rs",
            r#"    if fields.is_empty() && file.digest(now.size)? != content {
"#,
            r#"    if fields.is_empty() && file.digest(now.size)? != content && !WEAK {
"#,
        )],
    },
    Defence {
        name: "NoNewLease",
        missed_by: "live_guests::unseen_writers::a_writer_that_waits",
        edits: &[(
            "src/engine/proof.rs",
            r#"    let has_writer = !stands;
"#,
            r#"    let has_writer = !stands && !WEAK;
"#,
        )],
    },
    Defence {
        name: "NoLinkCount",
        missed_by: "live_guests::spoiled_objects::an_object_that_gains_a_holder_is_opened_no_more",
        edits: &[(
            "src/engine/exchange/shared_inode.rs",
            r#"            if u64::from(now.nlink) > names {
"#,
            r#"            if u64::from(now.nlink) > names && !WEAK {
"#,
        )],
    },
    Defence {
        name: "NoProofOfOldFiles",
        missed_by: "live_guests::unseen_writers::a_file_that_came_out",
        edits: &[(
            "src/engine/exchange/shared_inode.rs",
            r#"    let Some(new) = job.new.as_ref().filter(|_| !job.old.is_spoiled()) else {
"#,
            r#"    let Some(new) = job.new.as_ref().filter(|_| !job.old.is_spoiled() && !WEAK) else {
"#,
        )],
    },
    Defence {
        name: "NoLateLook",
        missed_by: "live_guests::unseen_writers::after_all_was_proven",
        edits: &[(
            "src/engine/exchange/proof.rs",
            r#"        let sound = std::mem::take(&mut proven.sound);
"#,
            r#"        let mut sound = std::mem::take(&mut proven.sound);
        if WEAK { sound.clear(); }
"#,
        )],
    },
    Defence {
        name: "NoParting",
        missed_by: "live_guests::unseen_writers::while_a_guest_leaves",
        edits: &[(
            "src/engine/parting/mod.rs",
            r#"    if spoiled.is_empty() {
"#,
            r#"    if spoiled.is_empty() || WEAK {
"#,
        )],
    },
    Defence {
        name: "NoProofInHealing",
        missed_by: "live_guests::unseen_writers::healed::while_a_run_is_healed",
        edits: &[(
            "src/engine/proof.rs",
            r#"    let mut found = Vec::new();
    for id in objects.into_iter().collect::<BTreeSet<ObjectId>>() {
"#,
            r#"    let mut found = Vec::new();
    for id in objects.into_iter().filter(|_| !WEAK).collect::<BTreeSet<ObjectId>>() {
"#,
        )],
    },
    Defence {
        name: "RestoreTimesAlways",
        missed_by: "live_guests::races::the_time_of_a_directory_that_others_use_stays_theirs",
        edits: &[(
            "src/engine/exchange/directories.rs",
            r#"        if now == self.mtime || self.foreign.get() {
"#,
            r#"        if now == self.mtime || (self.foreign.get() && !WEAK) {
"#,
        )],
    },
];
