package io.pare.report;

import io.pare.file.AtomicFile;
import java.nio.file.Path;
import java.util.List;

/** A self-contained HTML page: headings, paragraphs, tables and charts, nothing loaded from elsewhere. Not thread-safe. */
public final class HtmlPage {
    private static final String STYLE = """
            body { font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
            table { border-collapse: collapse; margin: 1em 0; }
            th, td { border: 1px solid #ccc; padding: 0.3em 0.7em; text-align: right; }
            th:first-child, td:first-child { text-align: left; }
            svg { max-width: 100%; height: auto; margin: 1em 0; }
            """;

    private final String title;
    private final StringBuilder body = new StringBuilder();

    public HtmlPage(String title) {
        this.title = title;
    }

    /** Adds a heading of the second level. */
    public HtmlPage heading(String text) {
        body.append("<h2>").append(escape(text)).append("</h2>\n");
        return this;
    }

    public HtmlPage paragraph(String text) {
        body.append("<p>").append(escape(text)).append("</p>\n");
        return this;
    }

    /** Adds a table; every row has as many cells as the head. */
    public HtmlPage table(List<String> head, List<? extends List<String>> rows) {
        body.append("<table>\n");
        row("th", head);
        for (List<String> row : rows) {
            if (row.size() != head.size()) {
                throw new IllegalArgumentException("a row of " + row.size() + " cells under a head of " + head.size());
            }
            row("td", row);
        }
        body.append("</table>\n");
        return this;
    }

    public HtmlPage chart(LineChart chart) {
        body.append(chart.svg());
        return this;
    }

    public String html() {
        return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + escape(title)
                + "</title>\n<style>\n" + STYLE + "</style>\n</head>\n<body>\n<h1>" + escape(title) + "</h1>\n" + body
                + "</body>\n</html>\n";
    }

    /** Writes the page in one step. */
    public void write(Path target) {
        AtomicFile.write(target, html());
    }

    static String escape(String text) {
        return Printable.text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"",
                "&quot;");
    }

    private void row(String element, List<String> cells) {
        body.append("<tr>");
        for (String cell : cells) {
            body.append('<').append(element).append('>').append(escape(cell)).append("</").append(element).append('>');
        }
        body.append("</tr>\n");
    }
}
