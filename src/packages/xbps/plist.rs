//! XML property lists, as far as proplib writes them: a visit to every string, with the way to it. Pure.
//!
//! ```text
//! plist  = "<plist" … ">" value "</plist>"
//! value  = dict | array | <string>text</string> | <integer>…| <data>… | <true/> | <false/>
//! dict   = "<dict>" { <key>text</key> value } "</dict>"
//! array  = "<array>" { value } "</array>"
//! ```
//!
//! Declarations (`<?xml …?>`), comments and a document type may stand between elements; an empty element may be
//! written `<string/>`. Text is bytes of any encoding, as file names are.
//!
//! This is not an XML parser. There are the five entities of XML and numeric ones; a document type that declares
//! anything, and markup that no property list holds, are refused. Nothing is kept but the way to the present
//! place, of bounded depth, so memory does not grow with the list.

use std::borrow::Cow;

use super::plist_markup::{Markup, Tag, TagKind, decoded, is_space};
use crate::packages::read::fault::{Defect, Fault};
use crate::packages::read::limits;

/// One container on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// Some place in an array.
    Array,
    /// A dictionary whose next key is not known yet; never part of the way to a string.
    Dict,
    /// Under this key of a dictionary.
    Key(Cow<'a, [u8]>),
}

impl Step<'_> {
    /// Is it this key?
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Step::Key(key) if **key == *name.as_bytes())
    }
}

/// Calls `each` with the way to every string and its text. A defect that it finds is put at the string.
pub fn strings<'a>(
    data: &'a [u8],
    each: impl FnMut(&[Step<'a>], &[u8]) -> Result<(), Defect>,
) -> Result<(), Fault> {
    if data.len() > limits::PLIST {
        return Err(broken("property list of more than 64 MiB").at(0));
    }
    if let Some(at) = data.iter().position(|&b| b == 0) {
        return Err(Defect::Nul.at(at));
    }
    let mut walk = PlistWalk {
        markup: Markup::new(data),
        way: Vec::new(),
        stage: PlistStage::Before,
        each,
    };
    while let Some(tag) = walk.markup.next_tag()? {
        walk.take(&tag)?;
    }
    match walk.stage {
        PlistStage::Closed => Ok(()),
        _ => Err(broken("the property list is cut off").at(data.len())),
    }
}

fn broken(fact: &'static str) -> Defect {
    Defect::Broken(fact)
}

/// Where in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlistStage {
    Before,
    /// Within `<plist>`, its value not finished.
    Open,
    /// The value is finished, `</plist>` is due.
    Full,
    Closed,
}

struct PlistWalk<'a, F> {
    markup: Markup<'a>,
    way: Vec<Step<'a>>,
    stage: PlistStage,
    each: F,
}

impl<'a, F: FnMut(&[Step<'a>], &[u8]) -> Result<(), Defect>> PlistWalk<'a, F> {
    fn take(&mut self, tag: &Tag<'a>) -> Result<(), Fault> {
        if !tag.text.iter().all(|&b| is_space(b)) {
            return Err(broken("text outside of a value").at(tag.at));
        }
        match tag.name {
            b"plist" => self.plist(tag.kind).map_err(|what| what.at(tag.at)),
            b"dict" => self.container(tag, Step::Dict),
            b"array" => self.container(tag, Step::Array),
            b"key" => self.key(tag),
            b"string" | b"integer" | b"data" | b"true" | b"false" => self.leaf(tag),
            _ => Err(broken("unknown element").at(tag.at)),
        }
    }

    fn plist(&mut self, kind: TagKind) -> Result<(), Defect> {
        self.stage = match (kind, self.stage) {
            (TagKind::Open, PlistStage::Before) => PlistStage::Open,
            (TagKind::Close, PlistStage::Full) => PlistStage::Closed,
            _ => return Err(broken("misplaced plist element")),
        };
        Ok(())
    }

    fn container(&mut self, tag: &Tag<'a>, step: Step<'a>) -> Result<(), Fault> {
        let done = match tag.kind {
            TagKind::Open => self.enter(step),
            TagKind::Close => self.leave(&step),
            TagKind::Empty => self.begin_value().map(|()| self.end_value()),
        };
        done.map_err(|what| what.at(tag.at))
    }

    fn enter(&mut self, step: Step<'a>) -> Result<(), Defect> {
        self.begin_value()?;
        if self.way.len() == limits::PLIST_DEPTH {
            return Err(broken("more than 16 containers within each other"));
        }
        self.way.push(step);
        Ok(())
    }

    fn leave(&mut self, step: &Step<'a>) -> Result<(), Defect> {
        match self.way.last() {
            Some(last) if last == step => self.way.pop(),
            Some(Step::Key(_)) => return Err(broken("key without a value")),
            _ => return Err(broken("closing tag of what is not open")),
        };
        self.end_value();
        Ok(())
    }

    fn key(&mut self, tag: &Tag<'a>) -> Result<(), Fault> {
        let text = self.text_of(tag)?;
        match self.way.last_mut() {
            Some(last @ Step::Dict) => *last = Step::Key(text),
            _ => return Err(broken("key where none may be").at(tag.at)),
        }
        Ok(())
    }

    fn leaf(&mut self, tag: &Tag<'a>) -> Result<(), Fault> {
        self.begin_value().map_err(|what| what.at(tag.at))?;
        let text = self.text_of(tag)?;
        if tag.name == b"string" {
            (self.each)(&self.way, &text).map_err(|what| what.at(tag.at))?;
        }
        self.end_value();
        Ok(())
    }

    /// All up to the closing tag, which must be the next.
    fn text_of(&mut self, tag: &Tag<'a>) -> Result<Cow<'a, [u8]>, Fault> {
        match tag.kind {
            TagKind::Empty => return Ok(Cow::Borrowed(b"")),
            TagKind::Close => return Err(broken("closing tag of what is not open").at(tag.at)),
            TagKind::Open => {}
        }
        match self.markup.next_tag()? {
            Some(end) if end.kind == TagKind::Close && end.name == tag.name && end.is_adjacent => {
                decoded(end.text).map_err(|what| what.at(tag.at))
            }
            _ => Err(broken("element within text, or text that is cut off").at(tag.at)),
        }
    }

    /// May a value stand here?
    fn begin_value(&self) -> Result<(), Defect> {
        match self.way.last() {
            None if self.stage != PlistStage::Open => {
                Err(broken("value outside of the property list"))
            }
            Some(Step::Dict) => Err(broken("value without a key")),
            _ => Ok(()),
        }
    }

    fn end_value(&mut self) {
        match self.way.last_mut() {
            None => self.stage = PlistStage::Full,
            Some(last @ Step::Key(_)) => *last = Step::Dict,
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every string as `way=text`, arrays as `[]`.
    fn read(body: &str) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        strings(body.as_bytes(), |way, text| {
            let mut line = String::new();
            for step in way {
                match step {
                    Step::Array => line.push_str("[]"),
                    Step::Dict => line.push_str("{?}"),
                    Step::Key(key) => line.push_str(&format!(".{}", key.escape_ascii())),
                }
            }
            found.push(format!("{line}={}", text.escape_ascii()));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn the_way_to_each_string() {
        let list = "<?xml version=\"1.0\"?>\n<!DOCTYPE plist PUBLIC \"a\" \"b\">\n<!-- > -->\n\
                    <plist version=\"1.0\">\n<dict>\n<key>a</key><array><string>x</string>\
                    <dict><key>b&amp;</key><string> y </string></dict><string/></array>\n\
                    <key>n</key><integer>0x1</integer><key>t</key><true/><key>f</key><false></false>\
                    <key>e</key><dict/><key>z</key><string>last</string></dict>\n</plist>\n";
        let want = [".a[]=x", ".a[].b&= y ", ".a[]=", ".z=last"];
        assert_eq!(read(list).unwrap(), want);
        assert_eq!(read("<plist><string>a</string></plist>").unwrap(), ["=a"]);
    }

    #[test]
    fn violations() {
        for bad in [
            "",
            "<plist>",
            "<plist></plist>",
            "<plist/>",
            "<dict/>",
            "<plist><dict></plist>",
            "<plist><dict/><dict/></plist>",
            "<plist><dict/></plist><dict/>",
            "<plist><dict/></plist><plist><dict/></plist>",
            "<plist><dict></array></plist>",
            "<plist><dict><string>x</string></dict></plist>",
            "<plist><dict><key>x</key></dict></plist>",
            "<plist><dict><key>x</key><key>y</key></dict></plist>",
            "<plist><array><key>x</key></array></plist>",
            "<plist><dict>x</dict></plist>",
            "<plist><real>1</real></plist>",
            "<plist><string>a<string>b</string></string></plist>",
            "<plist><string>a<!-- b -->c</string></plist>",
            "<plist><string>a</string",
            "<plist></string></plist>",
            "<plist><string>a</key></plist>",
            "<plist><string>&undeclared;</string></plist>",
            "<plist><dict/></plist>x",
            "<plist><string>a\0</string></plist>",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| {
            let (open, close) = ("<array>".repeat(n), "</array>".repeat(n));
            read(&format!("<plist>{open}{close}</plist>"))
        };
        assert_eq!(nested(16), Ok(Vec::new()));
        let fault = Defect::Broken("more than 16 containers within each other").at(7 + 16 * 7);
        assert_eq!(nested(17), Err(fault));
        assert_eq!(nested(100_000), Err(fault));
    }

    #[test]
    fn size_is_bounded() {
        let large = vec![b' '; limits::PLIST + 1];
        assert!(strings(&large, |_, _| Ok(())).is_err());
    }
}
