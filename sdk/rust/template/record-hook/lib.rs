use trellis_sdk::{Change, Context, NoConfig, RecordHook, Result, Verdict, export_record_hook};

/// A lead is converted only once it has a phone number.
impl RecordHook for Plugin {
    type Config = NoConfig;

    fn before_save(change: &Change, _: &NoConfig, _: &Context) -> Result<Verdict> {
        if change.becomes("status", "converted") && change.after.is_blank("phone") {
            let veto = Verdict::veto("phone-missing", "a phone number is needed first", "请先填写电话");
            return Ok(veto.on_field("phone"));
        }
        Ok(Verdict::Accept)
    }
}
export_record_hook!(Plugin);
