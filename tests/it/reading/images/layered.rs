//! Layers on top of each other, and layouts that hold several images or wrong ones.

use serde_json::Value;

use super::archives::*;
use super::{images, names_of, try_images};
use crate::support::{Disk, Lab};

const LINUX: &str = "linux/amd64";

fn image<'a>(name: &'a str, layers: &'a [Vec<u8>]) -> Image<'a> {
    Image {
        name,
        platform: LINUX,
        layers,
    }
}

/// Three layers: what they remove, replace and hide.
fn layers() -> [Vec<u8>; 3] {
    let first = archive(&[
        directory("a"),
        file("a/gone", b"1"),
        file("a/kept", b"2"),
        file("hidden/one", b"3"),
        file("hidden/two/deep", b"4"),
        file("becomes-directory", b"5"),
        file("becomes-file/inner", b"6"),
        link(b'2', "lnk", "a"),
        file("low", b"7"),
    ]);
    let second = archive(&[
        file("a/.wh.gone", b""),
        file("hidden/new", b"8"),
        // Where the mark stands in its layer does not count.
        file("hidden/.wh..wh..opq", b""),
        directory("becomes-directory"),
        file("becomes-directory/inner", b"9"),
        file("becomes-file", b"10"),
        link(b'1', "other-name", "low"),
        directory(".wh..wh.plnk"),
        file(".wh.never-was", b""),
    ]);
    let third = archive(&[
        file(".wh.low", b""),
        directory("lnk"),
        file("lnk/inner", b"11"),
    ]);
    [first, second, third]
}

const LEFT: &[&str] = &[
    "a/kept",
    "becomes-directory/inner",
    "becomes-file",
    "hidden/new",
    "lnk/inner",
    "other-name",
];

/// Writes a layout as a directory; its path.
fn write_layout(lab: &Lab, name: &str, layout: &Layout) -> String {
    let top = lab.path(name);
    for (path, bytes) in layout {
        let path = top.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    top.to_str().unwrap().to_owned()
}

fn write(lab: &Lab, name: &str, bytes: &[u8]) -> String {
    let path = lab.path(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn layers_add_replace_and_remove() {
    let lab = lab!(Disk::Own);
    let layers = layers();
    let one = [image("web:1", &layers)];
    let (layout, saved) = (oci_layout(&one), saved(&one));
    let both = [&layout[..], &listed_too(&layout, &layers)].concat();
    let forms = [
        (write_layout(&lab, "layout", &layout), "oci-layout"),
        (write(&lab, "oci.tar", &packed(&layout)), "oci-archive"),
        (
            write(&lab, "oci.tar.gz", &gzip(&packed(&layout))),
            "oci-archive",
        ),
        (write(&lab, "saved.tar", &packed(&saved)), "docker-archive"),
        (write(&lab, "both.tar", &packed(&both)), "oci-archive"),
    ];
    for (path, form) in &forms {
        let plan = images(&lab, &[&format!("x={path}")]);
        assert_eq!(names_of(&plan), LEFT, "{path}");
        let told = &plan.json["guests"][0]["image"];
        assert_eq!(
            (&told["form"], &told["name"]),
            (&(*form).into(), &"web:1".into()),
            "{path}"
        );
        assert!(
            told["image_digest"]
                .as_str()
                .unwrap()
                .starts_with("sha256:")
        );
    }
}

/// The list of `docker save` beside a layout, as Docker writes both since version 25.
fn listed_too(layout: &Layout, layers: &[Vec<u8>]) -> Layout {
    let config = layout
        .iter()
        .find(|(_, bytes)| bytes.starts_with(b"{\"rootfs\""));
    let layers = layers
        .iter()
        .map(|layer| format!("blobs/sha256/{}", hex(&gzip(layer))));
    let layers: Vec<String> = layers.collect();
    let list =
        serde_json::json!([{"Config": config.unwrap().0, "RepoTags": ["web:1"], "Layers": layers}]);
    vec![("manifest.json".into(), list.to_string().into_bytes())]
}

#[track_caller]
fn refused(lab: &Lab, path: &str, code: i32, words: &str) {
    let (out, plan) = try_images(lab, &[&format!("x={path}")]);
    assert!(plan.is_none(), "half an answer");
    let said = out.expect(code).stderr;
    assert!(said.contains(words), "{words}: {said}");
}

#[test]
fn layers_that_programs_read_in_two_ways_are_refused() {
    let lab = lab!(Disk::Own);
    let base = archive(&[directory("d"), file("d/f", b"1"), link(b'2', "s", "d")]);
    let device = Header::of(b'3', b"d/f").block();
    let opaque = pax(b'x', &[("SCHILY.xattr.trusted.overlay.opaque", b"y")]);
    for (at, (entries, words)) in [
        (
            vec![file("d/.wh.f", b""), file("d/f", b"2")],
            "the same layer removes d/f",
        ),
        (
            vec![file(".wh.d", b""), file("d/g", b"2")],
            "the same layer removes d",
        ),
        (vec![file("s/g", b"2")], "beneath s, which is no directory"),
        (vec![file("d/.wh.", b"")], "it names no file"),
        (vec![file("d/.wh...", b"")], "it names no file"),
        (vec![file("d/.wh.f", b"content")], "it is no empty file"),
        (vec![file(".wh.d/f", b"")], "something lies beneath it"),
        (vec![file("d/.wh..wh.odd", b"")], "known to few"),
        (vec![device], "the device 0, 0"),
        (vec![opaque, directory("d")], "an attribute of overlays"),
        (vec![link(b'1', "h", "d/gone")], "links to d/gone"),
    ]
    .into_iter()
    .enumerate()
    {
        let layers = [base.clone(), archive(&entries)];
        let layout = oci_layout(&[image("web", &layers)]);
        let path = write_layout(&lab, &format!("layout-{at}"), &layout);
        refused(&lab, &path, 1, words);
    }
}

/// Changes one file of a layout.
fn changed(
    layout: &Layout,
    which: impl Fn(&str, &[u8]) -> bool,
    change: impl Fn(&mut Vec<u8>),
) -> Layout {
    let mut layout = layout.clone();
    let found = layout.iter_mut().find(|(path, bytes)| which(path, bytes));
    change(&mut found.expect("such a file").1);
    layout
}

#[test]
fn digests_are_checked() {
    let lab = lab!(Disk::Own);
    let layers = layers();
    let layout = oci_layout(&[image("web", &layers)]);
    let is_layer = |_: &str, bytes: &[u8]| bytes.starts_with(b"\x1f\x8b");
    let cut = changed(&layout, is_layer, |bytes| bytes.truncate(bytes.len() - 1));
    let swapped = changed(&layout, is_layer, |bytes| {
        *bytes = gzip(&archive(&[file("evil", b"1")]));
    });
    let mut missing = layout.clone();
    missing.retain(|(_, bytes)| !bytes.starts_with(b"\x1f\x8b"));
    for (at, (layout, words)) in [
        (cut, "it was changed or cut"),
        (swapped, "it was changed or cut"),
        (missing.clone(), "No such file"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = write_layout(&lab, &format!("layout-{at}"), &layout);
        refused(&lab, &path, 1, words);
    }
    let path = write(&lab, "missing.tar", &packed(&missing));
    refused(&lab, &path, 1, "is not in the archive");
    // What is unpacked is not what the configuration says.
    let wrong = [
        archive(&[file("x", b"1")]),
        layers[1].clone(),
        layers[2].clone(),
    ];
    let mut saved_wrong = saved(&[image("web", &layers)]);
    let is_first = |path: &str, bytes: &[u8]| path.ends_with("layer.tar") && bytes == layers[0];
    saved_wrong = changed(&saved_wrong, is_first, |bytes| bytes.clone_from(&wrong[0]));
    let path = write(&lab, "wrong.tar", &packed(&saved_wrong));
    refused(&lab, &path, 1, "the configuration says");
    let is_index = |path: &str, _: &[u8]| path == "index.json";
    let climbing = changed(&layout, is_index, |bytes| {
        *bytes = br#"{"manifests":[{"digest":"sha256:../../../../etc/passwd"}]}"#.to_vec();
    });
    let path = write_layout(&lab, "climbing", &climbing);
    refused(&lab, &path, 1, "no SHA-256 digest");
    let twice = changed(&layout, is_index, |bytes| {
        let text = String::from_utf8_lossy(bytes).replacen('{', r#"{"Manifests":[],"#, 1);
        *bytes = text.into_bytes();
    });
    let path = write_layout(&lab, "twice", &twice);
    refused(&lab, &path, 1, "in two spellings");
}

#[test]
fn a_list_that_tells_of_other_layers_is_refused() {
    let lab = lab!(Disk::Own);
    let layers = layers();
    let layout = oci_layout(&[image("web:1", &layers)]);
    let mut fewer = listed_too(&layout, &layers[..2]);
    let both = [&layout[..], &fewer].concat();
    let path = write(&lab, "both.tar", &packed(&both));
    refused(&lab, &path, 1, "tell of different images");
    let mut list: Value = serde_json::from_slice(&fewer[0].1).unwrap();
    list[0]["Config"] = "other.json".into();
    fewer[0].1 = list.to_string().into_bytes();
    let both = [&layout[..], &fewer].concat();
    let path = write(&lab, "other.tar", &packed(&both));
    refused(&lab, &path, 1, "tell of different images");
}

#[test]
fn one_of_several_images_is_meant() {
    let lab = lab!(Disk::Own);
    let (web, db) = (
        [archive(&[file("web", b"1")])],
        [archive(&[file("db", b"1")])],
    );
    let arm = [archive(&[file("arm", b"1")])];
    let all = [
        image("reg/web:1", &web),
        image("db", &db),
        Image {
            platform: "linux/arm64",
            ..image("db", &arm)
        },
    ];
    let layout = write_layout(&lab, "layout", &oci_layout(&all));
    let saved = write(&lab, "saved.tar", &packed(&saved(&all[..2])));
    for path in [&layout, &saved] {
        refused(&lab, path, 2, "reg/web:1");
    }
    let oci = |rest: &str| format!("oci:{layout}{rest}");
    let named = images(&lab, &[&oci(":reg/web:1")]);
    assert_eq!(named.json["guests"][0]["name"], "web-1");
    assert_eq!(names_of(&named), ["web"]);
    let (out, _) = try_images(&lab, &[&oci(":db")]);
    assert!(
        out.expect(2)
            .stderr
            .contains("db (linux/amd64), db (linux/arm64)")
    );
    let arm = images(&lab, &["--platform", "linux/arm64", &oci(":db")]);
    assert_eq!(names_of(&arm), ["arm"]);
    let (out, _) = try_images(&lab, &[&oci(":nothing")]);
    assert!(out.expect(2).stderr.contains("there is no such image"));
    let db = images(&lab, &[&format!("docker-archive:{saved}:db")]);
    assert_eq!(names_of(&db), ["db"]);
    let two = images(
        &lab,
        &[
            &oci(":reg/web:1"),
            &format!("d=docker-archive:{saved}:reg/web:1"),
        ],
    );
    assert_eq!(two.json["guests"].as_array().unwrap().len(), 2);
    assert_eq!(
        two.json["actions"].as_array().unwrap().len(),
        3,
        "two links and a flag"
    );
}
