export type SeedClaims = { seed: number; claims: PageClaim[] };

export type PageClaim = {
  number: number;
  claim: string;
  paper: string;
  note?: string;
  figures: Record<string, number>;
  holds: boolean;
  curves?: Record<string, number[][]>;
  sample?: string;
};

/** The page, as Markdown. `charts` is the folder of its pictures, relative to it. */
export function claimsPage(
  bySeed: readonly SeedClaims[],
  options: { command: string; charts: string; isQuick: boolean },
): string;

/** The pictures: file names and SVG texts. */
export function chartsOf(bySeed: readonly SeedClaims[]): [file: string, svg: string][];
