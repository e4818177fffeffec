import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Chat,
  type ChatModel,
  type EndpointOptions,
  endpoint,
  LocalFrozen,
  localChat,
  optional,
  promptsFolder,
  UserError,
} from "aha-rl";
import { hashOf } from "./sources.ts";

/**
 * Who is asked: an OpenAI-compatible server, with its model (the only one it has, where not given) and the variable that
 * holds its key; or the folder of a model that runs here.
 */
export const asked = () => ({
  url: optional("string"),
  folder: optional("string"),
  model: optional("string"),
  apiKeyEnv: optional("string"),
});

type Asked = ReturnType<typeof asked>;

/** Somebody to be asked. `release` frees what was loaded for it; the next question loads it again. */
export type AskedModel = ChatModel & { release: () => void };

/**
 * The author's model and the judge's: the author again, where the judge has neither a server nor a folder of its own.
 * @throws UserError for two answers to who it is, for settings that a folder has no use for, and for a folder without a model.
 */
export async function askedModels(
  author: Asked,
  judge: Asked,
  seed: number,
): Promise<Record<"author" | "judge", AskedModel>> {
  const writing = await modelOf("author", author, seed);
  if (judge.url !== undefined || judge.folder !== undefined)
    return { author: writing, judge: await modelOf("judge", judge, seed) };
  if (author.folder !== undefined) {
    refuseUnused("judge", { ...judge, folder: author.folder });
    return { author: writing, judge: writing };
  }
  const { model = author.model, apiKeyEnv = author.apiKeyEnv } = judge;
  return { author: writing, judge: await served({ url: author.url!, model, apiKeyEnv }) };
}

async function modelOf(role: string, { url, folder, model, apiKeyEnv }: Asked, seed: number): Promise<AskedModel> {
  if (folder === undefined) return served({ url: url!, model, apiKeyEnv });
  refuseUnused(role, { url, folder, model, apiKeyEnv });
  return localModel(folder, seed);
}

/** A key is for the server it was given with, and a folder has no use for any of it. */
function refuseUnused(role: string, { folder, ...ofServer }: Asked): void {
  const given = Object.entries(ofServer).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new UserError(
    `recipe r1: data.${role}.${given[0]} is ${given[1]}, but the ${role} is the model in ${folder}, which runs here. Expected a server or a folder: leave one of them out.`,
  );
}

const served = async (server: EndpointOptions): Promise<AskedModel> => ({
  ...(await endpoint(server)),
  release: () => {},
});

/** A model folder, in memory from the first question until it is released. It writes at most half of its context: the other half is the question's. */
function localModel(folder: string, seed: number): AskedModel {
  // Hours before it is needed.
  LocalFrozen.check(folder);
  let loaded: Promise<{ policy: LocalFrozen; chat: Chat }> | undefined;
  const load = async () => {
    const policy = await LocalFrozen.load(folder);
    const maxNewTokens = Math.floor(policy.model.decoder.config.maxPositions / 2);
    return { policy, chat: localChat(policy, { name: folder, seed, maxNewTokens }).chat };
  };
  return {
    name: folder,
    async chat(messages, options) {
      loaded ??= load();
      return (await loaded).chat(messages, options);
    },
    release() {
      loaded?.then(({ policy }) => policy.dispose()).catch(() => {}); // What could not be loaded was said to who asked.
      loaded = undefined;
    },
  };
}

/** What its answers depend on besides its settings: the model that a server has, and the words that it is asked in. */
export function identityOf(role: "author" | "judge", { name }: AskedModel, folder: string = promptsFolder) {
  const files = readdirSync(folder).filter((file) => file.startsWith(`${role}-`) && file.endsWith(".txt"));
  const texts = files.sort().map((file) => [file, readFileSync(join(folder, file), "utf8")]);
  return { model: name, prompts: hashOf(texts) };
}
