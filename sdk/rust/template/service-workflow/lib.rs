use trellis_sdk::{
    Context, Decision, NoConfig, Result, ServiceWorkflow, WorkItem, export_service_workflow, localized, reason, task,
};

/// Complaints are urgent, and somebody calls back.
impl ServiceWorkflow for Plugin {
    type Config = NoConfig;

    fn triage(item: &WorkItem, _: &NoConfig, _: &Context) -> Result<Decision> {
        if item.choice("kind") != Some("complaint") {
            return Ok(Decision::nothing());
        }
        let why = reason("complaint", localized("it is a complaint", "这是投诉"), 1.0);
        let call = task("Call the customer back", "给客户回电").case(&item.item.id).due_in_days(1);
        Ok(Decision::because(why).then(item.set_fields().choice("priority", "high")).then(call))
    }
}
export_service_workflow!(Plugin);
