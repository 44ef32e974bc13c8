package io.pare.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.report.HtmlPage.Column;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class ReportTest {
    @Test
    void fieldsKeepTheirOrderAndNumbersWithoutAJsonFormBecomeNull(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("deep/report.json");
        new JsonReport().put("zeta", 0.9943).put("alpha", Double.NaN)
                .put("history", List.of(Map.of("loss", Float.POSITIVE_INFINITY))).put("text", "a \"b\"").write(file);
        JsonNode json = new ObjectMapper().readTree(Files.readString(file));
        assertEquals("[zeta, alpha, history, text]",
                json.properties().stream().map(Map.Entry::getKey).toList().toString());
        assertEquals(0.9943, json.get("zeta").asDouble());
        assertTrue(json.get("alpha").isNull());
        assertTrue(json.get("history").get(0).get("loss").isNull());
        assertEquals("a \"b\"", json.get("text").asText());
    }

    @Test
    void aChartIsWellFormedAndLeavesGapsForWhatIsNotMeasured() throws Exception {
        String html = new Chart("loss & <accuracy>", Axis.whole("epoch"), Axis.logarithmic("loss"))
                .line("train", new double[]{1, 2, 3, 4, 5}, new double[]{10, 1, Double.NaN, 0, 0.1})
                .line("empty", new double[0], new double[0]).html();
        List<Element> paths = elements(parse(html), "path", "stroke");
        // Two of the legend come first.
        assertEquals("M0.0 0.0 L250.0 500.0 M1000.0 1000.0", paths.get(2).getAttribute("d"));
        List<Element> dots = elements(parse(html), "path", "dots");
        assertEquals("M0.0 0.0h0 M250.0 500.0h0 M1000.0 1000.0h0", dots.get(2).getAttribute("d"));
    }

    @Test
    void whatWasMeasuredAtOnePlaceIsInOneTitle() throws Exception {
        List<Element> columns = elements(parse(new Chart("a", Axis.logarithmic("weights kept").percent(),
                Axis.linear("accuracy")).line("one", new double[]{0.001, 0.5}, new double[]{0.25, Double.NaN})
                .line("two", new double[]{0.5, 0.001}, new double[]{0.75, 1}).html()), "g", "at");
        assertEquals(List.of("weights kept 0.1\u00a0%\none  0.2500\ntwo  1", "weights kept 50\u00a0%\ntwo  0.7500"),
                columns.stream().map(Element::getTextContent).toList());
    }

    @Test
    void aReferenceIsInsideThePlotAndNamedInTheLegend() throws Exception {
        Document chart = parse(new Chart("a", Axis.whole("epoch").within(1, 80), Axis.linear("accuracy"))
                .line("one", new double[]{3}, new double[]{0.5}).reference("untouched", 0.9954).html());
        Element line = elements(chart, "line", "reference").getFirst();
        double at = Double.parseDouble(line.getAttribute("y1").replace("%", ""));
        assertTrue(at > 0 && at < 10, line.getAttribute("y1"));
        assertEquals("untouched 0.9954", elements(chart, "li", "reference").getFirst().getTextContent());
    }

    @Test
    void rulesOutsideTheAxisAreLeftOutAndCrowdedOnesHaveNoLabel() throws Exception {
        Document chart = parse(new Chart("a", Axis.whole("epoch").within(1, 101), Axis.linear("loss")).rule(1, "1")
                .rule(2, "2").rule(21, "3").rule(200, "4").html());
        assertEquals(2, elements(chart, "line", "rule").size());
        assertEquals(List.of("1", "3"), elements(chart, "text", "rule").stream().map(Element::getTextContent).toList());
    }

    @Test
    void barsStandOnTheBottomAndNarrowOnesInFront() throws Exception {
        Document chart = parse(new Chart("a", Axis.linear("value").within(-1, 1), Axis.linear("count").within(0, 4))
                .bars("before", new double[]{0}, new double[]{4}, 0.2)
                .bars("after", new double[]{0}, new double[]{2}, 0.1)
                .html());
        assertEquals("M450.0 1000V0.0H550.0V1000Z", elements(chart, "path", "bars wide").get(1).getAttribute("d"));
        assertEquals("M475.0 1000V500.0H525.0V1000Z", elements(chart, "path", "bars").get(1).getAttribute("d"));
        Chart refusing = new Chart("a", Axis.linear("x"), Axis.linear("y"));
        assertThrows(IllegalArgumentException.class, () -> refusing.bars("b", new double[1], new double[1], 0));
    }

    @Test
    void aChartOfNothingOrOfEqualValuesHasAnAxis() throws Exception {
        for (double[] values : List.of(new double[0], new double[]{Double.NaN}, new double[]{7}, new double[]{7, 7})) {
            String html = new Chart("flat", Axis.linear("x"), Axis.linear("y")).line("one", values, values).html();
            assertFalse(elements(parse(html), "line", "grid").isEmpty());
            assertFalse(html.contains("NaN") || html.contains("Infinity"), html);
            assertEquals(values.length == 0 || Double.isNaN(values[0]), html.contains("nothing was measured"));
        }
    }

    @Test
    void linesOfUnequalLengthAreRefused() {
        Chart chart = new Chart("x", Axis.linear("x"), Axis.linear("y"));
        assertThrows(IllegalArgumentException.class, () -> chart.line("a", new double[2], new double[3]));
    }

    @Test
    void aPageIsWellFormedAndLoadsNothing() throws Exception {
        String html = new HtmlPage("Pare <report>").heading("Layers").paragraph("1 < 2").note("careful")
                .facts(Map.of("data", "a & b"))
                .table(List.of(Column.text("layer"), Column.number("kept \"now\"")), List.of(List.of("conv1", "10 %")))
                .charts(List
                        .of(new Chart("a", Axis.linear("x"), Axis.linear("y")).line("b", new double[1], new double[1])))
                .html();
        Document page = parse(html.replace("<!DOCTYPE html>\n", ""));
        assertFalse(html.replace("http://www.w3.org/2000/svg", "").contains("//"), html);
        assertFalse(html.matches("(?s).*(src=|@import|url\\(|fetch).*"), html);
        assertEquals("a & b", page.getElementsByTagName("dd").item(0).getTextContent());
        Element cell = elements(page, "td", "number").getFirst();
        assertEquals("10 % under kept \"now\"", cell.getTextContent() + " under " + cell.getAttribute("data-head"));
        assertThrows(IllegalArgumentException.class,
                () -> new HtmlPage("a").table(List.of(Column.text("b")), List.of(List.of("c", "d"))));
    }

    /** Elements of that name and that class attribute, in the order of the text. */
    private static List<Element> elements(Document document, String name, String kind) {
        NodeList found = document.getElementsByTagName(name);
        return IntStream.range(0, found.getLength()).mapToObj(i -> (Element) found.item(i))
                .filter(element -> element.getAttribute("class").equals(kind)).toList();
    }

    private static Document parse(String xml) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder()
                .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    }
}
