package io.pare.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class PrintableTest {
    @Test
    void whatSteersATerminalIsWrittenOut() {
        assertEquals("\\u001b[2J", Printable.text("\u001b[2J"));
        assertEquals("a\\u0000b\\u0007\\u0008\\u007f\\u009b1m", Printable.text("a\0b\u0007\b\u007f\u009b1m"));
        assertEquals("\\u202eexe.png\\u2066", Printable.text("\u202eexe.png\u2066"));
        assertEquals("a\\u2028b\\u2029c", Printable.text("a\u2028b\u2029c"));
    }

    @Test
    void everyControlCharacterIsMeant() {
        for (char c = 0; c < 0xa0; c++) {
            boolean control = c < 0x20 && c != '\t' || c >= 0x7f;
            assertEquals(control, Printable.line("a" + c).length() == 7, "character " + (int) c);
        }
    }

    @Test
    void lettersOfEveryScriptStay() {
        String text = "Größe_präz-\u00df \u05e9\u05dc\u05d5\u05dd \u4f60\u597d \ud83d\ude00 \\ \"<&>\"";
        assertEquals(text, Printable.line(text));
    }

    @Test
    void aLineHasNoLineEndsAndTextKeepsThem() {
        assertEquals("real\\u000afake\\u000d\tend", Printable.line("real\nfake\r\tend"));
        assertEquals("one\ntwo\r\nthree\\u000dfour\tend", Printable.text("one\ntwo\r\nthree\rfour\tend"));
    }

    @Test
    void pagesAreMadeOfPrintableText() {
        String page = new HtmlPage("a\u001b]0;b\u0007").paragraph("<script>\u202e\0")
                .table(List.of(HtmlPage.Column.text("h\u0085")), List.of(List.of("\u001b"))).html();
        assertTrue(page.contains("<title>a\\u001b]0;b\\u0007</title>"), page);
        assertTrue(page.contains("&lt;script&gt;\\u202e\\u0000"), page);
        assertFalse(page.chars().anyMatch(c -> Character.isISOControl(c) && c != '\n'), page);
    }
}
