use std::sync::Arc;

use trellis_storage::Store;

use super::small;
use crate::SledStore;

trellis_storage::conformance!(|| {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path(), small()).unwrap().store;
    (store as Arc<dyn Store>, folder)
});
