export declare function seedsGiven(words: readonly string[], otherwise?: readonly number[]): readonly number[];
