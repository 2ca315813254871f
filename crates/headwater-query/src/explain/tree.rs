//! A tree of named values as lines.

use std::fmt::Display;

/// A name, its values, and what is below it.
pub(super) struct Node {
    name: String,
    values: Vec<String>,
    pub(super) children: Vec<Node>,
}

impl Node {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            values: Vec::new(),
            children: Vec::new(),
        }
    }

    pub(super) fn value(&mut self, name: &str, value: impl Display) {
        self.values.push(format!("{name}: {value}"));
    }
}

/// The lines of a tree below a dot, as the reference draws them.
pub(super) fn lines(root: &Node) -> Vec<String> {
    let mut lines = vec![".".to_owned()];
    draw(root, "", true, &mut lines);
    lines
}

fn draw(node: &Node, indent: &str, is_last: bool, lines: &mut Vec<String>) {
    let (branch, below) = if is_last {
        ("└── ", "    ")
    } else {
        ("├── ", "│   ")
    };
    lines.push(format!("{indent}{branch}{}", node.name));
    let indent = format!("{indent}{below}");
    let count = node.values.len() + node.children.len();
    for (at, value) in node.values.iter().enumerate() {
        let branch = if at + 1 == count {
            "└── "
        } else {
            "├── "
        };
        lines.push(format!("{indent}{branch}{value}"));
    }
    for (at, child) in node.children.iter().enumerate() {
        draw(child, &indent, at + 1 == node.children.len(), lines);
    }
}
