package io.pare.cli.sweep;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A sweep as a job of Kubernetes with indexed completion: a pod for each run, beside a config map with the sweep's file.
 *
 * <p>Fields are those of <a href="https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/">batch/v1
 * Job</a>; {@code backoffLimitPerIndex}, by which a run that fails ends no other, is in Kubernetes from 1.29 on.
 *
 * @param name of the sweep
 * @param file text of its YAML file
 * @param image that has {@code java} and Pare's jar as {@link #JAR}
 * @param claim persistent volume claim where results go
 * @param runs how many there are
 * @param threads of each run that does not say it itself
 * @param cores of each pod
 * @param jobs pods at a time, at most; 0 for any number
 */
public record KubernetesJob(String name, String file, String image, String claim, int runs, int threads, int cores,
        int jobs) {
    /** Where the image has the jar. */
    public static final String JAR = "/pare/engine.jar";
    private static final String RESULTS = "/runs";
    private static final String PLACE = "/sweep";
    private static final String FILE = "sweep.yaml";
    /** A pod may be evicted or lose its node; a run goes on from what it saved. */
    private static final int RESTARTS = 3;
    private static final int LONGEST_NAME = 63;

    /** The manifest, for {@code kubectl apply}. */
    public String text() {
        ObjectMapper yaml = new ObjectMapper(new YAMLFactory().enable(YAMLGenerator.Feature.LITERAL_BLOCK_STYLE)
                .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                .disable(YAMLGenerator.Feature.SPLIT_LINES));
        try {
            return yaml.writeValueAsString(configMap()) + yaml.writeValueAsString(job());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a manifest has no YAML form", e);
        }
    }

    /** A DNS label. */
    private String label() {
        String plain = ("pare-" + name).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-]+", "-");
        return plain.substring(0, Math.min(LONGEST_NAME, plain.length())).replaceAll("-+$", "");
    }

    private Map<String, Object> configMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("apiVersion", "v1");
        map.put("kind", "ConfigMap");
        map.put("metadata", Map.of("name", label()));
        map.put("data", Map.of(FILE, file));
        return map;
    }

    private Map<String, Object> job() {
        Map<String, Object> spec = new LinkedHashMap<>();
        spec.put("completionMode", "Indexed");
        spec.put("completions", runs);
        spec.put("parallelism", jobs == 0 ? runs : Math.min(jobs, runs));
        spec.put("backoffLimitPerIndex", RESTARTS);
        spec.put("maxFailedIndexes", runs);
        spec.put("template", Map.of("spec", pod()));
        Map<String, Object> job = new LinkedHashMap<>();
        job.put("apiVersion", "batch/v1");
        job.put("kind", "Job");
        job.put("metadata", Map.of("name", label()));
        job.put("spec", spec);
        return job;
    }

    private Map<String, Object> pod() {
        Map<String, Object> container = new LinkedHashMap<>();
        container.put("name", "pare");
        container.put("image", image);
        // Runs count from 1, completions from 0.
        container.put("command",
                List.of("sh", "-c", "exec java -jar " + JAR + " sweep " + PLACE + "/" + FILE + " --out "
                        + ShellText.word(RESULTS + "/" + name) + " --threads " + threads
                        + " --run $((JOB_COMPLETION_INDEX + 1))"));
        container.put("resources", Map.of("requests", Map.of("cpu", Integer.toString(cores))));
        container.put("volumeMounts", List.of(mount("runs", RESULTS), mount("sweep", PLACE)));
        Map<String, Object> pod = new LinkedHashMap<>();
        pod.put("restartPolicy", "Never");
        pod.put("containers", List.of(container));
        pod.put("volumes", List.of(
                volume("runs", "persistentVolumeClaim", Map.of("claimName", claim)),
                volume("sweep", "configMap", Map.of("name", label()))));
        return pod;
    }

    private static Map<String, Object> mount(String name, String path) {
        Map<String, Object> mount = new LinkedHashMap<>();
        mount.put("name", name);
        mount.put("mountPath", path);
        return mount;
    }

    private static Map<String, Object> volume(String name, String kind, Map<String, String> source) {
        Map<String, Object> volume = new LinkedHashMap<>();
        volume.put("name", name);
        volume.put(kind, source);
        return volume;
    }
}
