//! Which directories an overlay is made of, by what its mount line says
//! (`Documentation/filesystems/overlayfs.rst`, `ovl_show_options`).

use std::collections::HashMap;

use super::mountinfo::MountLine;
use super::paths::{ancestors, unescape};
use super::places::{BlockDevice, ShownMount};

/// An overlay that some namespace has mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    pub device: BlockDevice,
    pub point: Vec<u8>,
    /// `upperdir`, `lowerdir`, …, and the path as it was given.
    pub layers: Vec<(&'static str, Vec<u8>)>,
}

impl Overlay {
    /// `None` for a line about another kind of file system.
    pub fn of(line: &MountLine<'_>) -> Option<Overlay> {
        (line.kind == b"overlay").then(|| Overlay {
            device: line.device,
            point: unescape(line.point),
            layers: line
                .options
                .split(|&byte| byte == b',')
                .flat_map(layers_of)
                .collect(),
        })
    }
}

/// One option. Commas within it were escaped by the kernel.
fn layers_of(option: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    const OPTIONS: &[(&[u8], &str)] = &[
        (b"lowerdir=", "lowerdir"),
        (b"lowerdir+=", "lowerdir"),
        (b"datadir+=", "lowerdir"),
        (b"upperdir=", "upperdir"),
        (b"workdir=", "workdir"),
    ];
    let mut found = OPTIONS.iter();
    let found = found.find_map(|(key, name)| Some((*key, *name, option.strip_prefix(*key)?)));
    let Some((key, name, value)) = found else {
        return Vec::new();
    };
    let value = unescape(value);
    let parts = match key {
        b"lowerdir=" => split_colons(&value),
        _ => vec![value],
    };
    let mut all = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        let plain = without_backslashes(&part);
        // Whether a backslash is one more escape or a part of the name depends on how it was mounted: both count.
        if plain != part {
            all.push((name, plain));
        }
        all.push((name, part));
    }
    all
}

/// Layers are kept apart by colons, data layers by two; a colon in a name has a backslash before it.
fn split_colons(value: &[u8]) -> Vec<Vec<u8>> {
    let (mut parts, mut part, mut rest) = (Vec::new(), Vec::new(), value.iter());
    while let Some(&byte) = rest.next() {
        match byte {
            b':' => parts.push(std::mem::take(&mut part)),
            b'\\' => {
                part.push(byte);
                part.extend(rest.next());
            }
            _ => part.push(byte),
        }
    }
    parts.push(part);
    parts
}

fn without_backslashes(part: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), part.iter());
    while let Some(&byte) = rest.next() {
        match byte {
            b'\\' => out.extend(rest.next()),
            _ => out.push(byte),
        }
    }
    out
}

/// What the paths of layers mean in one other namespace: the mount that is nearest above each.
#[derive(Debug, Default)]
pub struct LayerFrame(HashMap<Vec<u8>, Option<ShownMount>>);

impl LayerFrame {
    /// For these overlays.
    pub fn of(overlays: &[Overlay]) -> LayerFrame {
        let paths = overlays.iter().flat_map(|overlay| &overlay.layers);
        let absolute = paths.filter(|(_, path)| path.starts_with(b"/"));
        let above = absolute.flat_map(|(_, path)| ancestors(path));
        LayerFrame(above.map(|path| (path.to_vec(), None)).collect())
    }

    /// Takes one line; a later one on the same directory hides the earlier.
    pub fn add(&mut self, line: &MountLine<'_>) {
        let point = unescape(line.point);
        if let Some(place) = self.0.get_mut(&point) {
            *place = Some(ShownMount {
                device: line.device,
                root: unescape(line.root),
                point,
            });
        }
    }

    /// The place that an absolute path means in that namespace.
    pub fn resolve(&self, path: &[u8]) -> Option<(BlockDevice, Vec<u8>)> {
        let mut above = ancestors(path);
        let mount = above.find_map(|above| self.0.get(above)?.as_ref())?;
        Some((mount.device, mount.within(path)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(option: &[u8]) -> Vec<String> {
        let all = layers_of(option).into_iter();
        all.map(|(name, path)| format!("{name} {}", String::from_utf8_lossy(&path)))
            .collect()
    }

    #[test]
    fn every_way_to_name_a_layer() {
        assert_eq!(layers(b"upperdir=/a\\040b"), ["upperdir /a b"]);
        assert_eq!(layers(b"lowerdir+=/x:y"), ["lowerdir /x:y"]);
        assert_eq!(
            layers(b"lowerdir=/a:b\\134:c::/d"),
            [
                "lowerdir /a",
                "lowerdir b:c",
                "lowerdir b\\:c",
                "lowerdir /d"
            ]
        );
        assert_eq!(layers(b"workdir=w\\054x"), ["workdir w,x"]);
        assert_eq!(layers(b"redirect_dir=on"), [""; 0]);
    }
}
