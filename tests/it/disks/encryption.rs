//! Encrypted directories (fscrypt) take in no names of files from elsewhere, and give none away.

use crate::support::{Disk, File, Lab, content, cycle, encrypt, unify};

fn lab() -> Result<Lab, String> {
    let lab = Lab::formatted("ext4", &["-O", "encrypt"], "loop")?;
    let tried = lab.path("tried");
    std::fs::create_dir(&tried).map_err(|e| e.to_string())?;
    encrypt(&tried)?;
    Ok(lab)
}

#[test]
fn encrypted_files_are_left_alone_and_the_others_are_shared() {
    let lab = match lab() {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/lib/a", &File::new(content("a")));
        guest.dir("/usr/share/secret");
        encrypt(&guest.host("/usr/share/secret")).unwrap();
        guest.put("/usr/share/secret/b", &File::new(content("b")));
        guest
    });
    let [web, db] = &guests;
    let (plan, saved) = cycle(&lab, &[web, db], &[]);
    assert!(saved > 0);
    assert!(plan.link("db", "/usr/lib/a").is_some());
    let skip = plan.skip("db", "/usr/share/secret/b").unwrap();
    assert_eq!(skip["reason"], "encrypted", "{skip}");
}

#[test]
fn a_base_in_an_encrypted_directory_is_refused_when_the_plan_is_made() {
    let lab = match lab() {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let [web, db] = lab.twins(&[("/usr/lib/a", File::new(content("a")))]);
    let (base, plan) = (lab.path("tried/base"), lab.path("p.json"));
    let (base, plan) = (base.to_str().unwrap(), plan.to_str().unwrap());
    let guests = [web.arg(), db.arg()];
    let out = unify(&["plan", "--base", base, "-o", plan, &guests[0], &guests[1]]).expect(8);
    assert!(out.stderr.contains("encrypted"), "{}", out.stderr);
    assert!(!lab.path("p.json").exists() && !lab.path("tried/base").exists());
    // Beside it, all is as ever.
    lab.plan(&[&web, &db], &[]).apply().expect(0);
}

/// A disk that knows no encryption says nothing of it.
#[test]
fn a_disk_without_encryption_is_not_called_encrypted() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/lib/a", File::new(content("a")))]);
    let plan = lab.plan(&[&web, &db], &[]);
    assert!(plan.link("db", "/usr/lib/a").is_some());
}
