type Group = Record<string, unknown>;
type Own = { noise: Group; data: Group };

/**
 * What is wrong with settings that nothing would read: those of the other world, and those of a task that was given no rows.
 * `defaults` tells which were set. Undefined where all are read.
 */
export function unread({ world, ...own }: Own & { world: string }, defaults: Own): string | undefined {
  const [name, other] = world === "tiny" ? (["data", "data"] as const) : (["noise", "tiny"] as const);
  const foreign = firstSet(own[name], defaults[name], name);
  if (foreign !== undefined)
    return `${foreign}, but world is "${world}", which reads nothing of "${name}". Leave it out, or set world=${other}.`;
  for (const [task, before] of Object.entries(defaults.data)) {
    const now = own.data[task];
    if (!isGroup(before) || !isGroup(now) || !("rows" in before) || now.rows !== undefined) continue;
    const alone = firstSet(now, before, `data.${task}`);
    if (alone !== undefined)
      return `${alone}, but data.${task}.rows is not set. Expected rows beside it: set them, or leave it out.`;
  }
  return undefined;
}

/** The first setting of a group that is not its default, with its value. */
function firstSet(now: Group, before: Group, above: string): string | undefined {
  for (const [name, value] of Object.entries(now)) {
    const [path, was] = [`${above}.${name}`, before[name]];
    const found = isGroup(value) && isGroup(was) ? firstSet(value, was, path) : value !== was && `${path} is ${value}`;
    if (found) return found;
  }
  return undefined;
}

const isGroup = (value: unknown): value is Group => typeof value === "object" && value !== null;
