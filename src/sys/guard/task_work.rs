//! Task work, by which newer kernels let a call begin anew without a signal. A function of the kernel's gives it to
//! programs, and has another number in each kernel. The compiled programs call a helper that no kernel has; here the
//! function takes its place, or "no" where the kernel lacks it.

use crate::sys::host::trials::btf;

/// Since 7.0; 6.18 and 6.19 have the other one, which takes the same.
const NAMES: [&[u8]; 2] = [
    b"bpf_task_work_schedule_signal",
    b"bpf_task_work_schedule_signal_impl",
];

/// An instruction: what it does, its registers (the upper four bits are the source), an offset, a number.
const PLACEHOLDER: [u8; 8] = *b"\x85\x00\x00\x00\x01\x00\x57\x54";

/// `r0 = -1`
const NO: [u8; 8] = *b"\xb7\x00\x00\x00\xff\xff\xff\xff";

/// Bytes in front of the object, so that it begins where it must.
const ALIGNMENT: usize = 8;

/// The programs for the kernel that runs.
pub(super) struct PatchedObject {
    bytes: Vec<u8>,
    start: usize,
}

impl PatchedObject {
    pub(super) fn of(object: &[u8]) -> PatchedObject {
        // What cannot be read tells of no function.
        let mut found = NAMES.iter().map(|name| btf::function(name));
        let function = found.find_map(|number| number.ok().flatten());
        PatchedObject::with(object, function)
    }

    fn with(object: &[u8], function: Option<u32>) -> PatchedObject {
        let mut bytes = vec![0; object.len() + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        bytes[start..][..object.len()].copy_from_slice(object);
        bytes.truncate(start + object.len());
        let instead = function.map_or(NO, call_of);
        // Instructions stand at multiples of their length, and only what is patched looks so.
        for instruction in bytes[start..].chunks_exact_mut(8) {
            if instruction == PLACEHOLDER {
                instruction.copy_from_slice(&instead);
            }
        }
        PatchedObject { bytes, start }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// `BPF_PSEUDO_KFUNC_CALL` of a function by its number in the kernel's description of its types.
fn call_of(function: u32) -> [u8; 8] {
    let mut call = *b"\x85\x20\x00\x00\x00\x00\x00\x00";
    call[4..].copy_from_slice(&function.to_ne_bytes());
    call
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_placeholder_gives_way_to_what_the_kernel_has() {
        let object = [[7; 8], PLACEHOLDER, [9; 8]].concat();
        let patched = PatchedObject::with(&object, Some(0x0102_0304));
        let call = *b"\x85\x20\x00\x00\x04\x03\x02\x01";
        assert_eq!(patched.bytes(), [[7; 8], call, [9; 8]].concat());
        let patched = PatchedObject::with(&object, None);
        assert_eq!(patched.bytes(), [[7; 8], NO, [9; 8]].concat());
        assert_eq!(patched.bytes().as_ptr().align_offset(ALIGNMENT), 0);
    }
}
