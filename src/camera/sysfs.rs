//! Reads which cameras the kernel knows, from sysfs (kernel documentation, `ABI/testing/sysfs-class-video4linux`
//! and `sysfs-bus-usb`). The root, `/sys`, is an argument.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Identity;

/// Longest attribute that is read, in bytes: the kernel gives at most a page.
const ATTRIBUTE_BYTES_MAX: u64 = 4096;

/// Most nodes that are listed: the kernel's own bound.
const NODES_MAX: usize = 256;

/// How far above a node its USB device may lie: interface, device.
const LEVELS_MAX: usize = 4;

/// A camera's node and who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `/dev/video0`.
    pub device: PathBuf,
    /// Who.
    pub identity: Identity,
}

/// All cameras, in the order of their nodes. A camera has further nodes for data about its pictures;
/// those are left out.
pub fn cameras(root: &Path) -> io::Result<Vec<Found>> {
    let class = root.join("class/video4linux");
    let entries = match std::fs::read_dir(&class) {
        Ok(entries) => entries,
        // The kernel makes the folder with the first camera.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut nodes: Vec<(u32, String)> = Vec::new();
    for entry in entries.take(NODES_MAX) {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(number) = name.strip_prefix("video").and_then(|rest| rest.parse().ok()) {
            nodes.push((number, name));
        }
    }
    nodes.sort();
    let first = |name: &&(u32, String)| {
        let index = attribute(&class.join(&name.1), "index");
        index.is_empty() || index == "0"
    };
    let found = nodes.iter().filter(first).map(|(_, name)| Found {
        device: Path::new("/dev").join(name),
        identity: identity_at(&class.join(name)),
    });
    Ok(found.collect())
}

/// The camera behind `device`, which may be a link as in `/dev/v4l/by-id`; `None` when the kernel knows
/// none there: it was unplugged.
pub fn camera(root: &Path, device: &Path) -> io::Result<Option<Identity>> {
    let device = std::fs::canonicalize(device).unwrap_or_else(|_| device.to_owned());
    let name = device.file_name();
    Ok(cameras(root)?
        .into_iter()
        .find(|found| found.device.file_name() == name)
        .map(|found| found.identity))
}

fn identity_at(node: &Path) -> Identity {
    let name = attribute(node, "name");
    let Ok(device) = std::fs::canonicalize(node.join("device")) else {
        return Identity::new(&name, "", "");
    };
    let usb = device.ancestors().take(LEVELS_MAX).find(|level| level.join("idVendor").is_file());
    let port = |path: &Path| {
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let Some(usb) = usb else { return Identity::new(&name, "", &port(&device)) };
    let [vendor, product] = ["idVendor", "idProduct"].map(|field| attribute(usb, field));
    let model = format!("{vendor}:{product} {}", attribute(usb, "product"));
    Identity::new(&model, &attribute(usb, "serial"), &format!("usb-{}", port(usb)))
}

/// Empty where there is none.
fn attribute(folder: &Path, name: &str) -> String {
    let mut bytes = Vec::new();
    let read = File::open(folder.join(name))
        .and_then(|file| file.take(ATTRIBUTE_BYTES_MAX).read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        Err(_) => String::new(),
    }
}
