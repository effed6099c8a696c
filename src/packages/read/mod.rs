//! How a database is read out of a guest: [`source`] opens its files beneath the root, [`steady`] reads until two looks
//! agree, [`limits`] bounds what is taken, and [`fault`] says what was wrong.

pub(super) mod fault;
pub(super) mod limits;
pub(super) mod lookup;
pub(super) mod source;
pub(super) mod steady;
