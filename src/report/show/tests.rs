//! Exact reports of small plans in every format, and what hostile plans may not do to them.

mod in_json;

use crate::model::{Action, Protect, Skip, SkipReason};
use crate::report::samples::{
    HOSTILE, Sample, assert_tame, guest, hostile_plan, path, small_plan, written,
};
use crate::report::{By, Format, Show, Tally};

const PLAIN: Show = Show {
    by: None,
    format: Format::Text,
    lines: false,
    near_misses: false,
    bytes: false,
    selected: false,
};

fn shown(show: Show, sample: &Sample, actions: &[Action]) -> String {
    let mut tally = Tally::new(show.by);
    actions.iter().for_each(|action| tally.take(action));
    written(|out| {
        let mut shown = show.begin(&sample.view(&tally), out)?;
        actions.iter().try_for_each(|action| shown.line(action))?;
        shown.end()
    })
}

#[test]
fn text_has_the_totals_first() {
    let want = "Plan of 2026-01-02T03:04:05Z by unify 0.1.0
  base     /srv/guests/.unify (ext4)
  protect  immutable: the flag works here
  content  sha256:3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f
  decision sha256:4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d

  files to link    3  11.4 MiB  4 names
  comes back          7.62 MiB  in allocated blocks, each inode once
  memory              7.63 MiB  of page cache are spared, where all of them are read
  objects to make  1
  objects to flag  1
  (the base's own folders and records come on top of this and are not counted)

Left alone:
  reason       files     bytes  why
  config-file      1  3.14 KiB  config file
  cache          120  4.76 MiB  cache
  unreadable       1       0 B  could not be read
  unique       2,870  28.6 MiB  no other name has this content and metadata

Shared:
  guest  its part  guest  its part  files     bytes
  web1       10 %  web2       20 %      1  3.81 MiB
";
    assert_eq!(shown(PLAIN, &Sample::small(), &small_plan()), want);
}

#[test]
fn groups_and_lines_follow_where_asked_for() {
    let show = Show {
        by: Some(By::Guest),
        lines: true,
        bytes: true,
        ..PLAIN
    };
    let text = shown(show, &Sample::small(), &small_plan());
    let want = "  guest  links        bytes   comes back  left alone        bytes
  web1       2  8,000,000 B  4,000,000 B         120  5,000,000 B
  web2       1  4,000,000 B  4,000,000 B           2      3,223 B
= web1:/usr/bin/perl -> sha256:5b5b5b5b5b5b…  4,000,000 B, 0 B come back  same content and metadata as other names; the object is a copy of it
! sha256:5b5b5b5b5b5b…  immutable, 4 names  a shared file must not be changed by one guest for all
= web1:/usr/lib/perl -> sha256:5b5b5b5b5b5b…  4,000,000 B, 4,000,000 B come back  same content and metadata as other names
· web1:/var/cache  120 files, 5,000,000 B  cache
· web2:/etc/ssh/sshd_config  3,223 B  config file per dpkg (openssh-server)
= web2:/usr/bin/perl = /usr/bin/perl5.40 -> sha256:5b5b5b5b5b5b…  4,000,000 B, 4,000,000 B come back  same content and metadata as other names
· web2:/root/x  could not be read: permission denied
";
    assert_eq!(text, want, "and not the page again");
    let by_reason = Show {
        by: Some(By::Reason),
        selected: true,
        ..PLAIN
    };
    let want = "  reason       links  bytes  comes back  flags  left alone     bytes  guests
  config-file      0    0 B         0 B      0           1  3.14 KiB       1
";
    assert_eq!(
        shown(by_reason, &Sample::small(), &small_plan()[4..5]),
        want
    );
}

#[test]
fn of_some_lines_their_sums_are_shown_and_nothing_of_the_others() {
    let some = Show {
        selected: true,
        ..PLAIN
    };
    let want = "  files to link    0  0 B  0 names
  comes back          0 B  in allocated blocks, each inode once
  memory              0 B  of page cache are spared, where all of them are read
  objects to make  0
  objects to flag  0

Left alone:
  reason       files     bytes  why
  config-file      1  3.14 KiB  config file
";
    let config = &small_plan()[4..5];
    assert_eq!(shown(some, &Sample::troubled(), config), want);
    let format = Format::Json;
    let text = shown(Show { format, ..some }, &Sample::troubled(), config);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["skipped"].as_object().unwrap().len(), 1, "{value}");
    assert!(
        value["selected"] == true && value.get("shared").is_none(),
        "{value}"
    );
}

#[test]
fn trouble_and_edits_stand_above_the_tables() {
    let mut sample = Sample::troubled();
    let target = sample.header.target.as_mut().unwrap();
    target.protection.as_mut().unwrap().mode = Protect::None;
    let mut plan = small_plan();
    plan.remove(2);
    let want = "counted)

1 of 3 actions removed by hand: the promise is an upper bound

RUNNING: web2: apply refuses its 1 link until it is stopped
LEFT OUT: db1: its package database is damaged
NOT PROTECTED: an in-place write by one guest changes a shared file for all

Left alone:
";
    let text = shown(PLAIN, &sample, &plan);
    assert!(text.contains(want), "{text}");
}

/// An audit says in every format what it is, and promises nothing.
#[test]
fn an_audit_says_that_nothing_comes_of_it() {
    let show = |format| Show { format, ..PLAIN };
    let audit = |format| shown(show(format), &Sample::audit(), &small_plan());
    let text = audit(Format::Text);
    let want = "Audit of 2026-01-02T03:04:05Z by unify 0.1.0
  AUDIT ONLY: nothing can be applied from this, and nothing was changed.
  content  sha256:";
    assert!(text.starts_with(want), "{text}");
    assert!(text.contains("up to in allocated blocks"), "{text}");
    assert!(text.contains("\nNOT TRIED: what a base shows: "), "{text}");
    let markdown = audit(Format::Markdown);
    assert!(markdown.starts_with("# unify audit\n"), "{markdown}");
    assert!(markdown.contains("\n- AUDIT ONLY: "), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&audit(Format::Json)).unwrap();
    assert_eq!(json["plan"], "unify.image-plan");
    assert!(
        json["base"].is_null() && json["protection"].is_null(),
        "{json}"
    );
}

#[test]
fn an_empty_plan_and_one_of_skips_only() {
    let want = "
  files to link    0  0 B  0 names
  comes back          0 B  in allocated blocks, each inode once
  memory              0 B  of page cache are spared, where all of them are read
  objects to make  0
  objects to flag  0
  (the base's own folders and records come on top of this and are not counted)
";
    let empty = shown(PLAIN, &Sample::empty(), &[]);
    assert!(empty.ends_with(want), "{empty}");
    let held = Skip::new(guest("web1"), path("/a"), SkipReason::Held);
    let skips = shown(PLAIN, &Sample::empty(), &[Action::Skip(held)]);
    let table = "\nLeft alone:\n  reason  files  bytes  why\n  held        1    0 B  held back by the reviewer\n";
    assert_eq!(skips, empty + table);
}

#[test]
fn markdown_is_for_merge_requests() {
    let show = Show {
        format: Format::Markdown,
        by: Some(By::Package),
        lines: true,
        ..PLAIN
    };
    let want = "# unify plan

- made `2026-01-02T03:04:05Z` by `unify 0.1.0`
- base `/srv/guests/.unify` (`ext4`)
- protect `immutable`: `the flag works here`

|  |  |  |  |
| --- | ---: | ---: | --- |
| files to link | 0 | 0 B | 0 names |
| comes back |  | 0 B | in allocated blocks, each inode once |
| memory |  | 0 B | of page cache are spared, where all of them are read |
| objects to make | 0 |  |  |
| objects to flag | 0 |  |  |

Note: the base's own folders and records come on top of this and are not counted.

## Left alone

| reason | files | bytes | why |
| --- | ---: | ---: | --- |
| `config-file` | 1 | 3.14 KiB | config file |

## By package

| package | links | bytes | comes back | flags | left alone | bytes | guests |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| `openssh-server` | 0 | 0 B | 0 B | 0 | 1 | 3.14 KiB | 1 |

## Actions

```text
· web2:/etc/ssh/sshd_config  3.14 KiB  config file per dpkg (openssh-server)
```
";
    let mut sample = Sample::empty();
    sample.digest = None;
    assert_eq!(shown(show, &sample, &small_plan()[4..5]), want);
    let trouble = shown(show, &Sample::troubled(), &small_plan());
    let want = "\n## Warnings\n\n- `RUNNING: web2: apply refuses its 1 link until it is stopped`\n";
    assert!(trouble.contains(want), "{trouble}");
}

#[test]
fn nothing_hostile_comes_through_in_any_format() {
    for format in [Format::Text, Format::Json, Format::Markdown] {
        for by in [By::Guest, By::Reason, By::Directory, By::Package] {
            let show = Show {
                near_misses: true,
                by: Some(by),
                format,
                lines: true,
                bytes: false,
                selected: by == By::Reason,
            };
            let text = shown(show, &Sample::hostile(), &hostile_plan());
            assert_tame(&text);
            assert!(!text.contains(HOSTILE));
        }
    }
}

#[test]
fn every_action_is_one_line_whatever_its_names_hold() {
    for format in [Format::Text, Format::Json, Format::Markdown] {
        let with = |lines, actions: &[Action]| {
            let show = Show {
                format,
                lines,
                ..PLAIN
            };
            shown(show, &Sample::hostile(), actions).lines().count()
        };
        let plan = hostile_plan();
        let one = with(true, &plan) - with(true, &plan[..plan.len() - 1]);
        let row = with(false, &plan) - with(false, &plan[..plan.len() - 1]);
        // Who asks for lines gets no page.
        let row = if format == Format::Text { 0 } else { row };
        assert_eq!(one, row + 1, "{format:?}");
    }
}

#[test]
fn no_line_of_markdown_closes_the_fence_and_no_name_opens_html() {
    let show = Show {
        format: Format::Markdown,
        by: Some(By::Package),
        lines: true,
        ..PLAIN
    };
    let text = shown(show, &Sample::hostile(), &hostile_plan());
    assert_eq!(text.matches("\n```").count(), 2);
    let (outside, _) = text.split_once("```text").unwrap();
    let words: String = outside.split("``").step_by(2).collect();
    assert!(!words.contains("<b>") && !words.contains("@all"), "{words}");
}
