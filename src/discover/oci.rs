//! OCI bundles (runc, crun): `config.json` beside the root, which names it. What is not listed there is not given; the
//! managers' own defaults do not list `CAP_LINUX_IMMUTABLE`.

use std::path::Path;

use serde::Deserialize;

use super::answer::{Manager, shown};
use super::host::HostFiles;
use crate::model::FlagClearing;

const OCI: Manager = Manager("oci");

/// The part of a bundle's configuration that matters here. A key that stands there twice is an error.
#[derive(Debug, Deserialize)]
pub(super) struct Bundle {
    #[serde(rename = "ociVersion")]
    _version: String,
    root: Option<BundleRoot>,
    process: Option<BundleProcess>,
    linux: Option<BundleLinux>,
}

#[derive(Debug, Deserialize)]
struct BundleRoot {
    path: String,
}

#[derive(Debug, Deserialize)]
struct BundleProcess {
    capabilities: Option<BundleSets>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BundleSets {
    bounding: Option<Vec<String>>,
    effective: Option<Vec<String>>,
    inheritable: Option<Vec<String>>,
    permitted: Option<Vec<String>>,
    ambient: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct BundleLinux {
    namespaces: Option<Vec<BundleNamespace>>,
}

#[derive(Debug, Deserialize)]
struct BundleNamespace {
    r#type: String,
    path: Option<String>,
}

/// What a bundle whose root this is would start.
pub(super) fn ask(files: &HostFiles, root: &Path) -> Option<FlagClearing> {
    let parent = root.parent()?;
    let path = parent.join("config.json");
    // A file of that name beside a directory of another name may be anybody's.
    let is_usual = root.file_name() == Some("rootfs".as_ref());
    let unknown = |why: String| is_usual.then(|| OCI.unknown(why));
    let text = match files.text(&path) {
        Ok(text) => text?,
        Err(why) => return unknown(why),
    };
    match serde_json::from_str::<Bundle>(&text) {
        Ok(Bundle { root: None, .. }) => unknown(format!("{} names no root", shown(&path))),
        Ok(bundle) => {
            let named = parent.join(&bundle.root.as_ref()?.path);
            files.leads_to(&named, root).then(|| judge(&path, &bundle))
        }
        Err(error) => unknown(format!("cannot read {}: {error}", shown(&path))),
    }
}

fn judge(path: &Path, bundle: &Bundle) -> FlagClearing {
    let file = shown(path);
    let namespaces = bundle.linux.iter().flat_map(|linux| &linux.namespaces);
    let user = namespaces.flatten().find(|one| one.r#type == "user");
    let sets = bundle
        .process
        .as_ref()
        .and_then(|it| it.capabilities.as_ref());
    match (user, sets) {
        (Some(BundleNamespace { path: None, .. }), _) => {
            OCI.no(format!("{file} gives it a user namespace"))
        }
        (_, None) => OCI.unknown(format!("{file} lists no capabilities")),
        (_, Some(sets)) if !sets.list_it() => {
            OCI.no(format!("{file} does not list CAP_LINUX_IMMUTABLE"))
        }
        (Some(_), _) => OCI.unknown(format!("{file} puts it into a user namespace that exists")),
        (None, _) => OCI.yes(
            format!("{file} lists CAP_LINUX_IMMUTABLE"),
            format!("take \"CAP_LINUX_IMMUTABLE\" out of process.capabilities in {file}"),
        ),
    }
}

impl BundleSets {
    fn list_it(&self) -> bool {
        let sets = [
            &self.bounding,
            &self.effective,
            &self.inheritable,
            &self.permitted,
            &self.ambient,
        ];
        let mut all = sets.into_iter().flatten().flatten();
        all.any(|name| name.eq_ignore_ascii_case("CAP_LINUX_IMMUTABLE"))
    }
}
