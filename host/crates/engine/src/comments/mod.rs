//! Comments: whom they mention, and who hears of them: R24.
//!
//! A mention is written `@[Name](user:<id>)`. The name is for people; the id counts. Before a comment is saved its `mentions` are set from its
//! text, so that a user who is not there is refused like any other reference. After it was saved the users whom it mentions, and those who
//! follow the record that it is about, get a `notification` each.

mod hook;
mod notify;

use trellis_model::RecordId;

pub(crate) use hook::CommentHook;
pub(crate) use notify::react;

/// The object of comments.
const COMMENT: &str = "comment";

/// The users whom a text mentions, each once, in the order of the text.
fn mentions(text: &str) -> Vec<RecordId> {
    let mut found = Vec::new();
    for (place, _) in text.match_indices("@[") {
        let mention = text.get(place..).and_then(|rest| rest.strip_prefix("@[")).and_then(|rest| {
            let (_, target) = rest.split_once(']')?;
            let (id, _) = target.strip_prefix("(user:")?.split_once(')')?;
            RecordId::parse(id).ok()
        });
        found.extend(mention.filter(|id| !found.contains(id)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_found_by_their_ids() {
        let id = |number| RecordId(uuid::Uuid::from_u128(number));
        let check = |text: &str, expected: &[u128]| {
            let expected: Vec<RecordId> = expected.iter().map(|number| id(*number)).collect();
            assert_eq!(mentions(text), expected, "{text}");
        };
        let (ann, bob) = (format!("@[Ann](user:{})", id(1)), format!("@[张伟](user:{})", id(2)));
        check(&format!("请{bob}跟进，{ann} and {bob} again"), &[2, 1]);
        check(&format!("{ann}{bob}"), &[1, 2]);
        check("@Ann, @[Ann], @[Ann](user:7), @[Ann](http://x), @[", &[]);
        check(&format!("[Ann](user:{}) @[Ann] (user:{})", id(1), id(1)), &[]);
        check(&format!("@[@[Ann](user:{})", id(3)), &[3]);
    }
}
