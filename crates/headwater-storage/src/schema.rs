//! The fields of one measurement in one time partition, as seen so far, and their columns in the
//! memtable. A field has one type per partition (`spec/influxql/semantics_select.md` §1).

use std::{collections::BTreeMap, sync::Arc};

use headwater_model::{FieldType, escape_tag, line_protocol};
use rustc_hash::FxHashMap;

/// Position of a field's column in the blocks of a partition.
pub(crate) type Slot = u32;

/// A field of a partition.
#[derive(Debug, Clone)]
pub(crate) struct FieldColumn {
    pub(crate) name: Arc<str>,
    /// The key as line protocol spells it; compared with the bytes of a line.
    pub(crate) raw: Box<[u8]>,
    pub(crate) kind: FieldType,
    /// Whether the catalog knows it.
    pub(crate) is_persisted: bool,
}

/// Grows as fields appear; cleared only together with all rows of the partition.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    fields: Vec<FieldColumn>,
    by_name: FxHashMap<Arc<str>, Slot>,
    view: Option<Arc<SchemaView>>,
}

/// What readers see of a [`Schema`].
#[derive(Debug, Default)]
pub(crate) struct SchemaView {
    pub(crate) fields: BTreeMap<Arc<str>, FieldType>,
    pub(crate) slots: FxHashMap<Arc<str>, Slot>,
    /// Name and type by slot.
    pub(crate) by_slot: Vec<(Arc<str>, FieldType)>,
}

impl Schema {
    pub(crate) fn fields(&self) -> &[FieldColumn] {
        &self.fields
    }

    /// The slot of a field by its key as written.
    pub(crate) fn find_raw(&self, raw: &[u8]) -> Option<Slot> {
        self.by_name
            .get(&*line_protocol::unescape_field_key(raw))
            .copied()
    }

    /// Adds a field that is not there.
    pub(crate) fn add(&mut self, name: &str, kind: FieldType, is_persisted: bool) -> Slot {
        let slot = Slot::try_from(self.fields.len()).expect("far fewer fields than 32 bits");
        let name: Arc<str> = name.into();
        let raw = escape_tag(&name).as_bytes().into();
        self.by_name.insert(name.clone(), slot);
        self.fields.push(FieldColumn {
            name,
            raw,
            kind,
            is_persisted,
        });
        self.view = None;
        slot
    }

    /// The catalog knows the first `count` fields.
    pub(crate) fn mark_persisted(&mut self, count: usize) {
        for field in self.fields.iter_mut().take(count) {
            field.is_persisted = true;
        }
    }

    pub(crate) fn view(&mut self) -> Arc<SchemaView> {
        let fields = &self.fields;
        let view = self.view.get_or_insert_with(|| {
            let named = |field: &FieldColumn| (field.name.clone(), field.kind);
            Arc::new(SchemaView {
                fields: fields.iter().map(named).collect(),
                slots: fields
                    .iter()
                    .zip(0..)
                    .map(|(f, slot)| (f.name.clone(), slot))
                    .collect(),
                by_slot: fields.iter().map(named).collect(),
            })
        });
        Arc::clone(view)
    }
}
