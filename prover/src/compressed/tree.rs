//! Joining neighbours while they arrive.

/// Finished stretches of a run, from its beginning on: each of a power of two of shards, each
/// shorter than the one before. Two of equal length never stand side by side, so a run of `n`
/// shards has at most `log2 n` of them waiting.
#[derive(Debug)]
pub(super) struct Tree<T> {
    waiting: Vec<(u32, T)>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { waiting: Vec::new() }
    }
}

impl<T> Tree<T> {
    /// Takes the next shard, and joins what can be joined.
    pub(super) fn push<E>(
        &mut self,
        node: T,
        mut join: impl FnMut(T, T) -> Result<T, E>,
    ) -> Result<(), E> {
        let (mut shards, mut node) = (1, node);
        while let Some((_, left)) = self.waiting.pop_if(|(waiting, _)| *waiting == shards) {
            node = join(left, node)?;
            shards *= 2;
        }
        self.waiting.push((shards, node));
        Ok(())
    }

    /// Joins all that is left, from left to right; `None` if there never was a shard.
    pub(super) fn finish<E>(
        self,
        mut join: impl FnMut(T, T) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let mut nodes = self.waiting.into_iter().map(|(_, node)| node);
        let Some(first) = nodes.next() else { return Ok(None) };
        nodes.try_fold(first, &mut join).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn joined(shards: u32) -> (Option<String>, usize) {
        let (mut joins, mut tree) = (0, Tree::default());
        let mut join = |left: String, right: String| {
            joins += 1;
            Ok::<_, Infallible>(format!("({left}{right})"))
        };
        for shard in 0..shards {
            tree.push(shard.to_string(), &mut join).unwrap();
            assert!(tree.waiting.len() <= 1 + (shard + 1).ilog2() as usize);
        }
        let tree = tree.finish(&mut join).unwrap();
        (tree, joins)
    }

    #[test]
    fn neighbours_are_joined_in_order() {
        assert_eq!(joined(0).0, None);
        for (shards, tree) in
            [(1, "0"), (2, "(01)"), (3, "((01)2)"), (4, "((01)(23))"), (7, "((((01)(23))(45))6)")]
        {
            assert_eq!(joined(shards), (Some(tree.into()), shards as usize - 1));
        }
    }

    #[test]
    fn an_error_ends_it() {
        let mut tree = Tree::default();
        let mut refuse = |_: u32, _: u32| Err("no");
        assert_eq!(tree.push(1, &mut refuse), Ok(()));
        assert_eq!(tree.push(2, &mut refuse), Err("no"));
    }
}
