package io.pare.cli.sweep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Manifests against the fields that the reference of Kubernetes has for them: batch/v1 Job, core/v1 PodSpec, Container,
 * Volume and ConfigMap.
 */
class KubernetesJobTest {
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

    /** Fields by the type that has them, with the type of each: string, integer, a type of this map, or [] of one. */
    private static final Map<String, Map<String, String>> SCHEMA = Map.of(
            "Job", Map.of("apiVersion", "string", "kind", "string", "metadata", "ObjectMeta", "spec", "JobSpec"),
            "ConfigMap", Map.of("apiVersion", "string", "kind", "string", "metadata", "ObjectMeta", "data", "strings"),
            "ObjectMeta", Map.of("name", "string"),
            "JobSpec", Map.of("completionMode", "string", "completions", "integer", "parallelism", "integer",
                    "backoffLimitPerIndex", "integer", "maxFailedIndexes", "integer", "template", "PodTemplateSpec"),
            "PodTemplateSpec", Map.of("metadata", "ObjectMeta", "spec", "PodSpec"),
            "PodSpec", Map.of("restartPolicy", "string", "containers", "[]Container", "volumes", "[]Volume"),
            "Container", Map.of("name", "string", "image", "string", "command", "[]string", "resources",
                    "ResourceRequirements", "volumeMounts", "[]VolumeMount"),
            "ResourceRequirements", Map.of("requests", "strings", "limits", "strings"),
            "VolumeMount", Map.of("name", "string", "mountPath", "string"),
            "Volume", Map.of("name", "string", "persistentVolumeClaim", "Claim", "configMap", "ConfigMapSource"));

    private static final Map<String, Map<String, String>> SOURCES = Map.of("Claim", Map.of("claimName", "string"),
            "ConfigMapSource", Map.of("name", "string"));

    private static void check(JsonNode node, String type, String place) {
        if (type.startsWith("[]")) {
            assertTrue(node.isArray() && !node.isEmpty(), place);
            node.forEach(each -> check(each, type.substring(2), place + "[]"));
        } else if (type.equals("string")) {
            assertTrue(node.isTextual() && !node.asText().isEmpty(), place + ": " + node);
        } else if (type.equals("integer")) {
            assertTrue(node.isInt(), place + ": " + node);
        } else if (type.equals("strings")) {
            node.forEachEntry((name, value) -> check(value, "string", place + "." + name));
        } else {
            Map<String, String> fields = SCHEMA.getOrDefault(type, SOURCES.get(type));
            assertTrue(node.isObject(), place);
            node.forEachEntry((name, value) -> {
                assertTrue(fields.containsKey(name), place + " has no field " + name);
                check(value, fields.get(name), place + "." + name);
            });
        }
    }

    private static List<JsonNode> documents(String text) throws IOException {
        try (MappingIterator<JsonNode> all = YAML.readerFor(JsonNode.class).readValues(text)) {
            return all.readAll();
        }
    }

    @Test
    void manifestsHaveTheFieldsOfTheReference() throws IOException {
        String file = "command: train lenet5\n# ü, 'quotes', \"more\": {a}\nmatrix: {seed: [1, 2]}\n";
        for (String name : List.of("ratios", "My Sweep_2!", "x".repeat(200), "true")) {
            List<JsonNode> both = documents(new KubernetesJob(name, file, "r.example:5000/pare:1", "results", 12, 4, 8,
                    5).text());
            assertEquals(2, both.size());
            check(both.getFirst(), "ConfigMap", "ConfigMap");
            check(both.getLast(), "Job", "Job");
            JsonNode map = both.getFirst();
            JsonNode job = both.getLast();
            assertEquals("v1 ConfigMap", map.get("apiVersion").asText() + " " + map.get("kind").asText());
            assertEquals(file, map.at("/data/sweep.yaml").asText());
            assertEquals("batch/v1 Job", job.get("apiVersion").asText() + " " + job.get("kind").asText());
            String label = job.at("/metadata/name").asText();
            assertTrue(LABEL.matcher(label).matches() && label.equals(map.at("/metadata/name").asText()), label);
            JsonNode spec = job.get("spec");
            assertEquals("Indexed", spec.get("completionMode").asText());
            assertEquals(12, spec.get("completions").intValue());
            assertEquals(5, spec.get("parallelism").intValue());
            assertEquals(12, spec.get("maxFailedIndexes").intValue());
            JsonNode pod = spec.at("/template/spec");
            // backoffLimitPerIndex asks for it.
            assertEquals("Never", pod.get("restartPolicy").asText());
            JsonNode container = pod.at("/containers/0");
            assertEquals("8", container.at("/resources/requests/cpu").asText());
            for (JsonNode mount : container.get("volumeMounts")) {
                assertTrue(pod.get("volumes").findValuesAsText("name").contains(mount.get("name").asText()),
                        mount::toString);
            }
            assertEquals(label, pod.at("/volumes/1/configMap/name").asText());
            assertTrue(container.at("/command/2").asText().endsWith("--threads 4 --run $((JOB_COMPLETION_INDEX + 1))"),
                    container::toString);
        }
        assertEquals(12, documents(new KubernetesJob("a", file, "i", "c", 12, 1, 1, 0).text()).getLast()
                .at("/spec/parallelism").intValue());
    }
}
