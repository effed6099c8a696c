//! The words of a plan that digests and seals are made over: they must never follow a rename in the code.

use crate::model::{Making, Method, ObjectFlag};

/// As in the field `method`.
pub(super) fn method_code(method: Method) -> &'static str {
    match method {
        Method::Hardlink => "hardlink",
        Method::Reflink => "reflink",
    }
}

/// As in the field `makes`.
pub(super) fn making_code(making: Making) -> &'static str {
    match making {
        Making::Copy => "copy",
        Making::Adopt => "adopt",
    }
}

/// As in the field `set`.
pub(super) fn flag_code(flag: ObjectFlag) -> &'static str {
    match flag {
        ObjectFlag::Guard => "guard",
        ObjectFlag::Iunlink => "iunlink",
        ObjectFlag::Verity => "verity",
        ObjectFlag::Immutable => "immutable",
    }
}
