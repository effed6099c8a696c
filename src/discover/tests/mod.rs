//! Managers' configuration as people write it, as packages install it, and as nobody should.

mod bounds;
mod lxc;
mod nspawn;
mod oci;
mod scene;

use scene::Scene;
