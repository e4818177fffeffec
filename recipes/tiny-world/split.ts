/** One question in so many is held out, by its words: it is in no text that a model of the world learns from. */
const heldOutOneIn = 6;

/** Whether a puzzle or a request is kept for measuring. Countdown has a split of its own, by its numbers. */
export const isHeldOutQuestion = (question: string): boolean => hashOfQuestion(question) % heldOutOneIn === 0;

/** FNV-1a over the characters, its high bits mixed down: 32 bits. */
export function hashOfQuestion(question: string): number {
  let hash = 0x811c9dc5;
  for (const char of question) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
