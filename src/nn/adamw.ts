import { fused, noGrad, type Tensor, tidy, zeros } from "#tensor";

export type AdamWOptions = {
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** What the learning rate of some parameters is multiplied by: a fresh head learns faster than what it stands on. */
  lrFactors: Readonly<Record<string, number>>;
};

/** PyTorch's defaults but the weight decay, which is 0: the paper gives none for RL. */
export const adamWDefaults: AdamWOptions = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, lrFactors: {} };

/**
 * AdamW (Loshchilov & Hutter 2019) over named parameters. Its state is float32; a parameter of another type keeps a
 * float32 master here, which is updated and then rounded into it.
 */
export class AdamW {
  readonly options: AdamWOptions;
  /** Updates applied so far. */
  numSteps = 0;
  readonly #params: ReadonlyMap<string, Tensor>;
  readonly #state: { m: Map<string, Tensor>; v: Map<string, Tensor>; master: Map<string, Tensor> };

  constructor(params: ReadonlyMap<string, Tensor>, options: Partial<AdamWOptions> = {}) {
    this.options = { ...adamWDefaults, ...options };
    this.#params = params;
    const fresh = (param: Tensor) => zeros(param.shape, { dtype: stateType(param), device: param.device });
    const entries = [...params];
    this.#state = {
      m: new Map(entries.map(([name, param]) => [name, fresh(param)])),
      v: new Map(entries.map(([name, param]) => [name, fresh(param)])),
      master: new Map(
        entries
          .filter(([, param]) => stateType(param) !== param.dtype)
          .map(([name, param]) => [name, noGrad(() => param.detach().to("float32"))]),
      ),
    };
  }

  /**
   * Clips the gathered gradients to a global L2 norm (0: does not), applies them and clears them.
   * @returns the norm before clipping; where it is not finite nothing is changed but the gradients, which are cleared
   */
  step({ lr, maxGradNorm = Number.POSITIVE_INFINITY }: { lr: number; maxGradNorm?: number }): number {
    return noGrad(() =>
      tidy(() => {
        const used = [...this.#params].flatMap(([name, param]) => {
          const grad = param.grad;
          return grad === undefined ? [] : [{ name, param, grad: grad.to(stateType(param)) }];
        });
        const norm = globalNorm(used.map(({ grad }) => grad));
        if (Number.isFinite(norm)) {
          this.numSteps++;
          const gradScale = maxGradNorm > 0 && norm > maxGradNorm ? maxGradNorm / (norm + 1e-6) : 1;
          const { lrFactors, ...options } = this.options;
          const factorOf = (name: string) => lrFactors[name] ?? 1;
          for (const factor of new Set(used.map(({ name }) => factorOf(name)))) {
            const group = used.filter(({ name }) => factorOf(name) === factor);
            this.#apply(group, { ...options, lr: lr * factor, step: this.numSteps, gradScale });
          }
        }
        for (const param of this.#params.values()) param.clearGrad();
        return norm;
      }),
    );
  }

  #apply(used: { name: string; param: Tensor; grad: Tensor }[], update: fused.AdamWUpdate): void {
    const { m, v, master } = this.#state;
    const targets = used.map(({ name, param }) => master.get(name) ?? param);
    const of = (map: Map<string, Tensor>) => used.map(({ name }) => map.get(name)!);
    const grads = used.map(({ grad }) => grad);
    if (used.every(({ param }) => param.device === "cpu")) fused.adamw(targets, grads, of(m), of(v), update);
    else for (const [i, target] of targets.entries()) adamwPlain(target, grads[i]!, of(m)[i]!, of(v)[i]!, update);
    for (const { name, param } of used) {
      const exact = master.get(name);
      if (exact !== undefined) param.detach().copy_(exact);
    }
  }

  /** The state as tensors by name (`m.<param>`, `v.<param>`, `master.<param>`): the optimizer's own, not copies. */
  state(): Record<string, Tensor> {
    return Object.fromEntries(
      Object.entries(this.#state).flatMap(([kind, map]) => [...map].map(([name, value]) => [`${kind}.${name}`, value])),
    );
  }

  /** Takes over a saved state. Throws where a tensor is missing or of another shape. */
  load(saved: Record<string, Tensor>, numSteps: number): void {
    for (const [name, mine] of Object.entries(this.state())) {
      const theirs = saved[name];
      if (theirs === undefined || `${theirs.shape}` !== `${mine.shape}`) {
        const found = theirs === undefined ? "missing" : `[${theirs.shape}]`;
        throw new Error(
          `optimizer: "${name}" is ${found}, expected [${mine.shape}]. Is this checkpoint of another model?`,
        );
      }
    }
    noGrad(() => {
      for (const [name, mine] of Object.entries(this.state())) mine.copy_(saved[name]!);
    });
    this.numSteps = numSteps;
  }

  [Symbol.dispose](): void {
    for (const tensor of Object.values(this.state())) tensor.dispose();
  }
}

const stateType = (param: Tensor) => (param.dtype === "float64" ? "float64" : "float32");

/** The L2 norm over all values of the gradients. */
export function globalNorm(grads: Tensor[]): number {
  if (grads.every((grad) => grad.device === "cpu")) return fused.globalNorm(grads);
  return tidy(() => Math.sqrt(grads.reduce((sum, grad) => sum + grad.to("float32").square().sum().item(), 0)));
}

/** The same update from generic ops: what runs on other devices. */
export function adamwPlain(param: Tensor, grad: Tensor, m: Tensor, v: Tensor, update: fused.AdamWUpdate): void {
  const { lr, beta1, beta2, eps, weightDecay, step, gradScale } = update;
  noGrad(() =>
    tidy(() => {
      const scaled = grad.mul(gradScale);
      m.mul_(beta1).add_(scaled.mul(1 - beta1));
      v.mul_(beta2).add_(scaled.square().mul(1 - beta2));
      const denominator = v
        .sqrt()
        .mul(1 / Math.sqrt(1 - beta2 ** step))
        .add(eps);
      param.mul_(1 - lr * weightDecay).sub_(m.div(denominator).mul(lr / (1 - beta1 ** step)));
    }),
  );
}
