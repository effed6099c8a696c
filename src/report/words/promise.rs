//! What comes back by a plan, in words that are no surer than the figures: "up to" where they are a bound, and why.

use crate::model::Caveats;
use crate::report::layout::size::Sizes;
use crate::report::plan_view::PlanView;

impl PlanView<'_> {
    /// `7.62 MiB come back`, or `up to` that.
    pub fn promise(&self, sizes: Sizes) -> String {
        format!(
            "{}{} come back",
            self.up_to(),
            sizes.of(self.tally.totals().saves)
        )
    }

    /// `up to `, where the figure is a bound.
    pub fn up_to(&self) -> &'static str {
        let unsure = self.is_layered() || self.summary.caveats.unsure > 0;
        if (unsure || self.is_audit()) && self.tally.totals().saves > 0 {
            "up to "
        } else {
            ""
        }
    }

    fn is_layered(&self) -> bool {
        let target = self.header.target.as_ref();
        target.is_some_and(|target| target.base.is_layered())
    }

    /// Why the promise is not sure, and what is not in it. Where a reviewer took lines out, these are bounds, too.
    pub fn caveats(&self, sizes: Sizes) -> Vec<String> {
        let Caveats {
            shared_blocks,
            unsure,
            copied,
            unused_objects,
        } = self.summary.caveats;
        let facts = [
            (
                shared_blocks,
                "of what is linked are in blocks that files or snapshots share already: nothing is promised of these",
            ),
            (
                unsure,
                "of it are compressed, lie beside the metadata, or are shared without a sign: less may come back",
            ),
            (
                copied,
                "may be taken by objects that are copies: the blocks of their files are shared, and may stay in use",
            ),
            (
                unused_objects,
                "of it are won without this plan, too: objects that no name refers to, which `unify gc` removes",
            ),
        ];
        let facts = facts.into_iter().filter(|(bytes, _)| *bytes > 0);
        let mut lines: Vec<String> = facts
            .map(|(bytes, what)| format!("{} {what}", sizes.of(bytes)))
            .collect();
        if self.is_layered() && self.tally.totals().links > 0 {
            lines.push(LAYERED.into());
        }
        lines
    }
}

/// Said of plans and of runs.
pub const LAYERED: &str = "guests and base are on an overlay mount: what lies in a lower layer stays there, and is copied up before it is linked";
