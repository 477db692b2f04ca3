/** @jsxImportSource preact */
/** The fields of the form: parameters and body. */
import { useId } from "preact/hooks";
import type { Inputs, Parameter } from "../inputs.js";
import type { Values } from "./request.js";

interface ParameterProps {
  of: Parameter[];
  values: Record<string, string>;
  onChange(values: Record<string, string>): void;
}

export function ParameterInputs({ of, values, onChange }: ParameterProps) {
  const form = useId();
  return (
    <>
      {of.map(({ name, type, required, schema }) => {
        const options = "enum" in schema && Array.isArray(schema.enum) ? schema.enum.map(String) : undefined;
        const set = (value: string) => onChange({ ...values, [name]: value });
        const value = Object.hasOwn(values, name) ? values[name] : "";
        const id = `${form}-${name}`;
        return (
          <label key={name} htmlFor={id}>
            <span>
              <code>{name}</code> {required && <span class="required">required</span>}
            </span>
            {options ? (
              <select
                id={id}
                value={value}
                required={required}
                onChange={(event) => set(event.currentTarget.value)}
              >
                <option value="" />
                {options.map((option) => (
                  <option key={option}>{option}</option>
                ))}
              </select>
            ) : (
              <input
                id={id}
                value={value}
                required={required}
                placeholder={type}
                autocomplete="off"
                spellcheck={false}
                onInput={(event) => set(event.currentTarget.value)}
              />
            )}
          </label>
        );
      })}
    </>
  );
}

interface BodyInputProps {
  body: Inputs["body"];
  value: Values["body"];
  onChange(body: Values["body"]): void;
}

const isText = (type: string) => /^text\/|json|xml|urlencoded/.test(type);

export function BodyInput({ body, value, onChange }: BodyInputProps) {
  if (!body && value === undefined) return null;
  if (body && !isText(body.type)) {
    return (
      <label>
        Body: a file ({body.type})
        <input type="file" onChange={(event) => onChange(event.currentTarget.files?.[0])} />
      </label>
    );
  }
  const text = typeof value === "string" ? value : "";
  const problem = body?.type === "application/json" ? jsonProblem(text) : undefined;
  return (
    <label>
      Body
      <textarea
        rows={Math.min(16, Math.max(3, text.split("\n").length))}
        spellcheck={false}
        aria-invalid={problem !== undefined}
        value={text}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      {problem && <span class="problem">{problem}</span>}
    </label>
  );
}

function jsonProblem(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `Not valid JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}
