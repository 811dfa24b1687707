"""A request as a program for Java 17, with nothing but java.net.http."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.export.literals import java_literal, java_text, json_body
from ollama_magic.ollama.request_bodies import chat_body

if TYPE_CHECKING:
    from ollama_magic.export.target import Key, Target
    from ollama_magic.ollama.protocol import ChatRequest

_INDENT = " " * 8
_UTF8 = "-Dfile.encoding=UTF-8 "  # Java before 18 reads a source file in the machine's own encoding
_CERTIFICATE = "// The server's certificate must be in a trust store: add -Djavax.net.ssl.trustStore=FILE"

# §…§ are placeholders: Java is full of braces.
_PROGRAM = """\
§notes§// Java 17 or newer: save as Chat.java, then `java §encoding§Chat.java`
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.stream.Stream;

public class Chat {
    static final String BODY = §body§;

    public static void main(String[] args) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(§url§))
            .header("Content-Type", "application/json")
§headers§            .POST(HttpRequest.BodyPublishers.ofString(BODY))
            .build();
        HttpResponse<Stream<String>> response =
            HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofLines());
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (Stream<String> lines = response.body()) {
            for (Iterator<String> each = lines.iterator(); each.hasNext();) {
                String line = each.next();
                String content = response.statusCode() == 200 ? text(line, "content") : null;
                if (content == null) {
                    System.err.println(response.statusCode() + " " + line);
                    System.exit(1);
                }
                out.print(content);
                out.flush();
            }
        }
        out.println();
    }

    /** The first text of that name in a JSON object, null if there is none. */
    static String text(String json, String name) {
        int at = json.indexOf('"');
        while (at >= 0) {
            int end = end(json, at);
            int colon = skipSpace(json, end);
            int value = skipSpace(json, colon + 1);
            boolean named = json.startsWith(":", colon) && json.startsWith("\\"", value);
            if (named && json.substring(at + 1, end - 1).equals(name)) {
                return unescaped(json.substring(value + 1, end(json, value) - 1));
            }
            at = json.indexOf('"', end);
        }
        return null;
    }

    /** Where the JSON string that begins at a quote has ended. */
    static int end(String json, int quote) {
        int at = quote + 1;
        while (json.charAt(at) != '"') {
            at += json.charAt(at) == '\\\\' ? 2 : 1;
        }
        return at + 1;
    }

    static int skipSpace(String json, int at) {
        while (at < json.length() && Character.isWhitespace(json.charAt(at))) {
            at++;
        }
        return at;
    }

    static String unescaped(String text) {
        StringBuilder plain = new StringBuilder();
        for (int at = 0; at < text.length(); at++) {
            char letter = text.charAt(at);
            if (letter != '\\\\') {
                plain.append(letter);
                continue;
            }
            letter = text.charAt(++at);
            switch (letter) {
                case 'b' -> plain.append('\\b');
                case 'f' -> plain.append('\\f');
                case 'n' -> plain.append('\\n');
                case 'r' -> plain.append('\\r');
                case 't' -> plain.append('\\t');
                case 'u' -> {
                    plain.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                    at += 4;
                }
                default -> plain.append(letter);
            }
        }
        return plain.toString();
    }
}
"""


def java(request: ChatRequest, target: Target) -> str:
    """Return the request as a Java program that prints the answer as it arrives."""
    body = json_body(chat_body(request))
    notes = [f"// {note}" for note in target.notes] + ([_CERTIFICATE] if target.ca_file else [])
    values = {
        "notes": "".join(f"{note}\n" for note in notes),
        "encoding": "" if body.isascii() else _UTF8,
        "url": java_literal(target.url),
        "headers": "".join(f"            .header({_header(key)})\n" for key in target.keys),
        "body": java_text(body, _INDENT),
    }
    parts = _PROGRAM.split("§")
    return "".join(values[part] if place % 2 else part for place, part in enumerate(parts)).rstrip("\n")


def _header(key: Key) -> str:
    prefix = f"{java_literal(key.before)} + " if key.before else ""
    return f"{java_literal(key.header)}, {prefix}System.getenv({java_literal(key.variable)})"
