// Counts of what the linter still finds, by file and rule. They may shrink and never grow.

/** Return {file: {rule: count}} of ESLint's results, with paths as `name` gives them. */
export function countByFile(results, name) {
  const counts = {};
  for (const { filePath, messages } of results) {
    for (const { ruleId } of messages) {
      const file = (counts[name(filePath)] ??= {});
      file[ruleId] = (file[ruleId] ?? 0) + 1;
    }
  }
  return counts;
}

/** Return {rule: count} over all files. */
export function sumByRule(counts) {
  const sums = {};
  for (const file of Object.values(counts)) {
    for (const [rule, count] of Object.entries(file)) sums[rule] = (sums[rule] ?? 0) + count;
  }
  return sums;
}

/** Return where counts differ from the baseline: [{file, rule, allowed, count}]. */
export function compare(baseline, counts) {
  const differences = [];
  for (const file of new Set([...Object.keys(baseline), ...Object.keys(counts)])) {
    const before = baseline[file] ?? {};
    const after = counts[file] ?? {};
    for (const rule of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const allowed = before[rule] ?? 0;
      const count = after[rule] ?? 0;
      if (count !== allowed) differences.push({ file, rule, allowed, count });
    }
  }
  return differences;
}

/**
 * Return the rules of which there are more now than the baseline allows in all: empty when it may
 * be lowered.
 */
export function grownRules(baseline, counts) {
  const before = sumByRule(baseline);
  return Object.entries(sumByRule(counts))
    .filter(([rule, count]) => count > (before[rule] ?? 0))
    .map(([rule]) => rule);
}

/** Return the baseline as the text of its file: one line a file, in order. */
export function writeBaseline(counts) {
  const lines = Object.keys(counts)
    .sort()
    .map((file) => {
      const rules = Object.fromEntries(Object.entries(counts[file]).sort());
      return `  ${JSON.stringify(file)}: ${JSON.stringify(rules)}`;
    });
  return `{\n${lines.join(",\n")}\n}\n`;
}
