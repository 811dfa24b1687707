// The Java client of the guide: one whole reply and one stream, with nothing but java.net.http.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.stream.Stream;

public class GuideClient {
    public static void main(String[] args) throws Exception {
        String question = args.length > 1 ? args[1] : "Hello, how are you?";
        HttpClient client = HttpClient.newHttpClient();
        for (boolean stream : new boolean[] {false, true}) {
            String body = """
                {"model": "demo", "messages": [{"role": "user", "content": "%s"}], "stream": %s}
                """.formatted(question, stream);
            HttpRequest request = HttpRequest.newBuilder(URI.create(args[0] + "/api/chat"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
            if (stream) {
                HttpResponse<Stream<String>> reply = client.send(request, HttpResponse.BodyHandlers.ofLines());
                reply.body().forEach(line -> System.out.println("line " + line));
            } else {
                HttpResponse<String> reply = client.send(request, HttpResponse.BodyHandlers.ofString());
                System.out.println("whole " + reply.statusCode() + " " + reply.body());
            }
        }
    }
}
