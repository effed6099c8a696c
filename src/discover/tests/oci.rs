//! Bundles of runc and crun.

use serde_json::{Value, json};

use super::Scene;
use super::scene::assert_answer;
use crate::model::ClearsFlags::{No, Unknown, Yes};

fn bundle(change: impl FnOnce(&mut Value)) -> String {
    let usual = ["CAP_AUDIT_WRITE", "CAP_KILL"];
    let mut bundle = json!({
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs", "readonly": true},
        "process": {"args": ["sh"], "capabilities": {"bounding": usual, "effective": usual, "permitted": usual}},
        "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
    });
    change(&mut bundle);
    bundle.to_string()
}

#[test]
fn what_is_not_listed_is_not_given() {
    let scene = Scene::new();
    let root = scene.guest("b/rootfs");
    let told = |change: &dyn Fn(&mut Value)| {
        scene.write("b/config.json", &bundle(change));
        scene.asked(&root)
    };
    assert_answer(&told(&|_| ()), No, "does not list CAP_LINUX_IMMUTABLE");
    for set in [
        "bounding",
        "effective",
        "inheritable",
        "permitted",
        "ambient",
    ] {
        let listed = told(&|it| {
            it["process"]["capabilities"][set] = json!(["CAP_KILL", "CAP_LINUX_IMMUTABLE"]);
        });
        assert_answer(&listed, Yes, "lists CAP_LINUX_IMMUTABLE");
        assert!(
            listed
                .remedy
                .unwrap()
                .contains("out of process.capabilities in")
        );
    }
    let listed = |it: &mut Value| {
        it["process"]["capabilities"]["bounding"] = json!(["cap_linux_immutable"]);
    };
    let mapped = told(&|it| {
        listed(it);
        it["linux"]["namespaces"] = json!([{"type": "user"}]);
    });
    assert_answer(&mapped, No, "user namespace");
    let joined = told(&|it| {
        listed(it);
        it["linux"]["namespaces"] = json!([{"type": "user", "path": "/proc/1/ns/user"}]);
    });
    assert_answer(&joined, Unknown, "that exists");
    let silent = told(&|it| it["process"]["capabilities"] = Value::Null);
    assert_answer(&silent, Unknown, "lists no capabilities");
}

#[test]
fn only_a_bundle_of_this_root_is_asked() {
    let scene = Scene::new();
    let root = scene.guest("b/rootfs");
    let nobody = "no manager's configuration";
    scene.write(
        "b/config.json",
        &bundle(|it| it["root"]["path"] = json!("other")),
    );
    assert_answer(&scene.asked(&root), Unknown, nobody);
    scene.write("b/config.json", "{\"port\": 80}");
    assert_answer(&scene.asked(&root), Unknown, "ociVersion");
    scene.write(
        "b/config.json",
        &bundle(|it| it["root"]["path"] = json!(root)),
    );
    assert_answer(&scene.asked(&root), No, "does not list");
    let web = scene.guest("b/web");
    assert_answer(&scene.asked(&web), Unknown, nobody);
    scene.write("b/config.json", "[");
    assert_answer(&scene.asked(&web), Unknown, nobody);
}
