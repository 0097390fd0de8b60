//! A test guest that imports an interface which no host grants.
//!
//! Everything else about it is in order, so a host that runs it has linked what it should not have.

use trellis_sdk::{
    Assignments, Batch, Context, NoConfig, Result, Segmentation, SegmentationDescription, described,
    export_segmentation,
};

mod nosy {
    trellis_sdk::wit_bindgen::generate!({
        world: "nosy",
        path: "wit",
        runtime_path: "trellis_sdk::wit_bindgen::rt",
    });
}

struct Ungranted;

impl Segmentation for Ungranted {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<SegmentationDescription>> {
        Ok(vec![described("secret", "Secret", "秘密").value("member", "Member", "成员")])
    }

    fn assign(_: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let secret = nosy::trellis::plugin::secret_files::read("/etc/passwd");
        let mut assignments = Assignments::default();
        assignments.push("secret", ["member"], vec![u32::from(secret.is_empty()); rows.rows()]);
        Ok(assignments)
    }
}

export_segmentation!(Ungranted);
