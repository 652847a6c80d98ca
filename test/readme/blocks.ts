/** Owns reading README.md as a list of fenced blocks, and putting new answers into it. */

export interface Block {
  readonly language: string;
  readonly text: string;
}

const FENCED = /^```(\w*)\n(.*?)^```$/gms;

export function readBlocks(page: string): Block[] {
  return Array.from(page.matchAll(FENCED), ([, language = "", text = ""]) => ({ language, text }));
}

/** A command with the answer that stands right behind it; null where none does. */
export interface Command {
  readonly text: string;
  readonly answer: string | null;
}

/** The commands of the page in their order; those that start the service or test it are not. */
export function commandsOf(page: string): Command[] {
  const blocks = readBlocks(page);
  return blocks.flatMap(({ language, text }, at) => {
    if (language !== "sh") return [];
    const next = blocks[at + 1];
    return [{ text, answer: next?.language === "json" ? next.text : null }];
  });
}

/** The page with other answers behind its commands, in their order. */
export function withAnswers(page: string, answers: readonly string[]): string {
  let place = 0;
  return page.replace(FENCED, (block, language: string) => {
    if (language !== "json") return block;
    const answer = answers[place];
    place += 1;
    return answer === undefined ? block : `\`\`\`json\n${answer}\n\`\`\``;
  });
}
