//! Image plans: read like all others, and never taken for one that can be applied.

use super::sample::*;
use crate::ledger::{Edits, Form, IMAGE_PLAN_SCHEMA_ID, PlanError};
use crate::model::*;

/// The sample plan, only looked at.
pub fn image_plan(form: Form) -> String {
    write_with(form, &image_header(), &guests(), &image_actions())
}

pub fn image_header() -> Header {
    Header {
        schema: IMAGE_PLAN_SCHEMA_ID.into(),
        target: None,
        ..header()
    }
}

pub fn image_actions() -> Vec<Action> {
    let mut all = actions();
    for action in &mut all {
        if let Action::Link(link) = action {
            link.before = None;
        }
    }
    all
}

/// The field that is wrong.
#[track_caller]
fn refused(text: &str) -> String {
    match read(text) {
        Err(PlanError::Value { bad, .. }) => bad.field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_forms_are_read() {
    for form in [Form::Document, Form::Lines] {
        let text = image_plan(form);
        assert!(
            !text.contains("\"before\"") && !text.contains("\"base\""),
            "{text}"
        );
        let plan = read(text).unwrap();
        assert_eq!(plan.header, image_header());
        assert_eq!(plan.header.kind(), PlanKind::ImagePlan);
        assert_eq!(plan.actions(), image_actions());
        assert_eq!(plan.closing.digest_in_file, plan.closing.digest_now);
        assert_eq!(plan.closing.edits, Edits::default());
    }
}

#[test]
fn what_a_hand_did_is_named() {
    let text = image_plan(Form::Document);
    let changed = text.replacen("\"saves\":3973120", "\"saves\":9", 1);
    let changed = read(changed).unwrap().closing.edits.changed;
    assert_eq!(
        changed
            .iter()
            .map(|(_, fields)| &fields[..])
            .collect::<Vec<_>>(),
        [["saves"]]
    );
    let held = text.replacen("\"action\":\"link\"", "\"action\":\"skip\"", 1);
    assert_eq!(read(held).unwrap().closing.edits.held, 1);
}

/// A guest that is an image is none that anything could be done in.
#[test]
fn images_are_guests_of_image_plans_alone() {
    let mut guests = guests();
    guests[0].image = Some(ImageFacts {
        form: ImageForm::OciLayout,
        name: Some("web".into()),
        digest: None,
        lacks: vec![ImageLack::Nanoseconds],
        twice: 1,
    });
    for form in [Form::Document, Form::Lines] {
        let image = write_with(form, &image_header(), &guests, &image_actions());
        assert_eq!(read(image).unwrap().guests[0].image, guests[0].image);
        let plan = write_with(form, &header(), &guests, &actions());
        assert_eq!(refused(&plan), "image");
    }
}

/// The word for the kind makes no plan of it, nor does the head of a plan: its lines have no evidence.
#[test]
fn no_edit_makes_a_plan_of_it() {
    for form in [Form::Document, Form::Lines] {
        let renamed = image_plan(form).replacen("unify.image-plan", "unify.plan", 1);
        assert_eq!(refused(&renamed), "host");
        let headed = write_with(form, &header(), &guests(), &image_actions());
        assert_eq!(refused(&headed), "before");
        let null = headed.replace(
            "\"reason\":\"identical\",",
            "\"reason\":\"identical\",\"before\":null,",
        );
        assert_eq!(refused(&null), "before");
    }
}

/// Nor is a plan shortened to an image plan by that word alone.
#[test]
fn a_plan_is_no_image_plan() {
    for form in [Form::Document, Form::Lines] {
        let renamed = plan(form).replacen("unify.plan", "unify.image-plan", 1);
        let error = read(renamed).unwrap_err().to_string();
        assert!(
            error.contains("`host` does not belong into an image plan"),
            "{error}"
        );
        let headed = write_with(form, &image_header(), &guests(), &actions());
        assert_eq!(refused(&headed), "before");
    }
}
