package io.pare.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

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
    void aChartIsWellFormedAndLeavesGapsForWhatIsNotFinite() throws Exception {
        String svg = new LineChart("loss & <accuracy>", "epoch", "loss").logarithmic()
                .line("train", new double[]{1, 2, 3, 4, 5}, new double[]{10, 1, Double.NaN, 0, 0.1})
                .line("empty", new double[0], new double[0]).svg();
        Document document = parse(svg);
        String path = document.getElementsByTagName("path").item(0).getAttributes().getNamedItem("d").getNodeValue();
        assertEquals("M64.0 32.0 L204.0 154.0 M624.0 276.0", path.replaceAll("(\\d\\.\\d)\\d*", "$1"));
    }

    @Test
    void aChartOfEqualValuesHasAnAxis() throws Exception {
        String svg = new LineChart("flat", "x", "y").line("one", new double[]{3}, new double[]{7}).svg();
        parse(svg);
        assertFalse(svg.contains("NaN") || svg.contains("Infinity"));
    }

    @Test
    void linesOfUnequalLengthAreRefused() {
        LineChart chart = new LineChart("x", "x", "y");
        assertThrows(IllegalArgumentException.class, () -> chart.line("a", new double[2], new double[3]));
    }

    @Test
    void aPageIsWellFormedAndLoadsNothing() throws Exception {
        String html = new HtmlPage("Pare <report>").heading("Layers").paragraph("1 < 2")
                .table(List.of("layer", "kept"), List.of(List.of("conv1", "10 %")))
                .chart(new LineChart("a", "x", "y")).html();
        parse(html.replace("<!DOCTYPE html>\n", "").replace("<meta charset=\"utf-8\">", ""));
        assertFalse(html.replace("http://www.w3.org/2000/svg", "").contains("http"));
        assertTrue(html.contains("<td>conv1</td><td>10 %</td>"));
    }

    private static Document parse(String xml) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder()
                .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    }
}
