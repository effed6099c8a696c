//! The header of a plan: what it is of, by which choices it was made, and what it would be executed on.

use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::path_text;
use crate::model::{Method, MethodChoice, PlanMethods, Policy, Protect, Protection, SharingMethod};

/// Version of the plan format, `MAJOR.MINOR`. Another major is refused.
pub const FORMAT: &str = "1.0";

/// The first keys of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `urn:unify:schema:plan:1`, or that of an image plan.
    pub schema: String,
    /// [`FORMAT`].
    pub format: String,
    /// When the plan was made, RFC 3339, UTC.
    pub created: String,
    /// Program and version.
    pub tool: String,
    /// What a reviewer may do, in a sentence.
    pub edit: String,
    /// What it would be executed on. `None` for a plan that nothing can be applied from.
    pub target: Option<PlanTarget>,
    /// The user's choices.
    pub policy: Policy,
    /// Extended attributes that could not be seen where the plan was made, so that files may differ in them:
    /// patterns of their names. `apply` sees them.
    pub unseen_attributes: Vec<String>,
}

impl Header {
    /// How files are shared by its lines. An audit, which tries nothing, has what was asked for.
    pub fn mode(&self) -> PlanMethods {
        match (&self.target, self.policy.method) {
            (Some(target), _) => target.mode(),
            (None, MethodChoice::Reflink) => PlanMethods::Reflink,
            (None, MethodChoice::Both) => PlanMethods::Both,
            (None, MethodChoice::Hardlink | MethodChoice::Auto) => PlanMethods::Hardlink,
        }
    }

    /// What kind of plan it is.
    pub fn kind(&self) -> PlanKind {
        match self.target {
            Some(_) => PlanKind::Plan,
            None => PlanKind::ImagePlan,
        }
    }
}

/// The two kinds of plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanKind {
    /// It belongs to a host and a base, and has the evidence to be applied by.
    Plan,
    /// It shows what could be shared, wherever the guests are, and has no evidence: nothing can be applied from it.
    ImagePlan,
}

impl PlanKind {
    /// Both of them.
    pub const ALL: [PlanKind; 2] = [PlanKind::Plan, PlanKind::ImagePlan];

    /// The word for it in the header.
    pub fn code(self) -> &'static str {
        match self {
            PlanKind::Plan => "unify.plan",
            PlanKind::ImagePlan => "unify.image-plan",
        }
    }

    /// What this word means, if it is one.
    pub fn from_code(code: &str) -> Option<PlanKind> {
        PlanKind::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// Where and how a plan is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanTarget {
    /// Digest of the machine's id: a plan belongs to one host.
    pub host: String,
    /// The base and its file system.
    pub base: BaseFacts,
    /// How files will be shared, where more than hard links was asked for.
    pub method: Option<SharingMethod>,
    /// How objects will be protected. `None` where lines make none, because each file stays its own inode: such a plan
    /// has no hard links.
    pub protection: Option<Protection>,
}

impl PlanTarget {
    /// What lines do.
    pub fn mode(&self) -> PlanMethods {
        self.method
            .as_ref()
            .map_or(PlanMethods::Hardlink, |method| method.mode)
    }

    /// How objects will be protected; `None` where lines make none.
    pub fn protect(&self) -> Option<Protect> {
        self.protection.as_ref().map(|protection| protection.mode)
    }
}

/// The base as the plan saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseFacts {
    /// Absolute path.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// `ext4`, `xfs`, `btrfs`, …
    pub filesystem: String,
    /// Most names that one inode may have there.
    pub max_links: u64,
    /// Objects that were in the base.
    pub objects: u64,
}

impl BaseFacts {
    /// How a view of several layers is called, of which only the upper one is ever written to.
    pub const OVERLAY: &str = "overlay";

    /// Is it on such a view? What lies in a lower layer does not come back.
    pub fn is_layered(&self) -> bool {
        self.filesystem == BaseFacts::OVERLAY
    }
}

/// The keys as they are written, in their order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderWire {
    #[serde(rename = "$schema")]
    schema: String,
    kind: String,
    format: String,
    created: String,
    tool: String,
    edit: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    base: Option<BaseFacts>,
    policy: Policy,
    #[serde(rename = "sharing", skip_serializing_if = "Option::is_none", default)]
    method: Option<SharingMethod>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    protection: Option<Protection>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    unseen_attributes: Vec<String>,
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = self.kind().code().to_owned();
        let header = self.clone();
        let (host, base, method, protection) = match header.target {
            Some(target) => (
                Some(target.host),
                Some(target.base),
                target.method,
                target.protection,
            ),
            None => (None, None, None, None),
        };
        let wire = HeaderWire {
            schema: header.schema,
            kind,
            format: header.format,
            created: header.created,
            tool: header.tool,
            edit: header.edit,
            host,
            base,
            policy: header.policy,
            method,
            protection,
            unseen_attributes: header.unseen_attributes,
        };
        wire.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
        let mut wire = HeaderWire::deserialize(deserializer)?;
        let target = match PlanKind::from_code(&wire.kind) {
            Some(PlanKind::Plan) => Some(target::<D::Error>(&mut wire)?),
            Some(PlanKind::ImagePlan) => {
                no_target::<D::Error>(&wire)?;
                None
            }
            None => return Err(D::Error::custom("`kind` is that of no plan")),
        };
        Ok(Header {
            schema: wire.schema,
            format: wire.format,
            created: wire.created,
            tool: wire.tool,
            edit: wire.edit,
            target,
            policy: wire.policy,
            unseen_attributes: wire.unseen_attributes,
        })
    }
}

/// A plan that can be applied says what it is applied to: what is missing never means anything.
fn target<E: Error>(wire: &mut HeaderWire) -> Result<PlanTarget, E> {
    let missing = |field| move || E::missing_field(field);
    let target = PlanTarget {
        host: wire.host.take().ok_or_else(missing("host"))?,
        base: wire.base.take().ok_or_else(missing("base"))?,
        method: wire.method.take(),
        protection: wire.protection.take(),
    };
    match (target.mode().has(Method::Hardlink), &target.protection) {
        (true, None) => Err(E::missing_field("protection")),
        (false, Some(_)) => Err(E::custom(
            "`protection` does not belong into a plan of reflinks, which share no inode",
        )),
        _ => Ok(target),
    }
}

/// An image plan that says so could be taken for one that can be applied.
fn no_target<E: Error>(wire: &HeaderWire) -> Result<(), E> {
    let said = [
        ("host", wire.host.is_some()),
        ("base", wire.base.is_some()),
        ("sharing", wire.method.is_some()),
        ("protection", wire.protection.is_some()),
    ];
    match said.into_iter().find(|(_, is_there)| *is_there) {
        None => Ok(()),
        Some((field, _)) => Err(E::custom(format_args!(
            "`{field}` does not belong into an image plan, which nothing is applied from"
        ))),
    }
}
