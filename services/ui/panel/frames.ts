const FRAMES = /<(\/?)(iframe|frame|frameset|object|embed|fencedframe|portal)(?=[\s/>])/gi;

/**
 * Turns elements that open a document of their own into unknown ones. Such a document would have a fresh set of
 * the platform's objects, those included that panels are denied.
 */
export const withoutFrames = (html: string): string => html.replace(FRAMES, "<$1x-$2");
